/* SPDX-License-Identifier: ISC */
/*
 * When a worker leaves: it is told to, or master and standby are gone.
 */
#ifndef ECHOD_WORKER_LEAVE_H
#define ECHOD_WORKER_LEAVE_H

#include <sys/types.h>

#include "worker/worker.h"

/*
 *	            the pidfd of the master is ready
 *	ATTENDED ---------------------------------------> DOUBT
 *	    ^                                              |  |
 *	    |  the generation is another one               |  |
 *	    +----------------------------------------------+  |
 *	       both are gone; or nobody takes the master's    |
 *	       place in shutdown-timeout                      v
 *	                                                   ALONE: a stop begins
 */
enum leave_state {
	LEAVE_ATTENDED,
	LEAVE_DOUBT,
	LEAVE_ALONE
};

struct leave {
	enum leave_state state;
	unsigned generation; /* of the master that is there, or was */
	uint64_t since;	     /* clock_ms(), LEAVE_DOUBT */
	unsigned rounds;     /* of the loop */
};

/* Watch the master. */
void leave_begin(struct leave *l, struct worker *w);

/* Once a round: true if this worker leaves now, between two operations.  If
 * neither a master nor a standby is left, this begins a stop instead. */
bool leave_told(struct leave *l, struct worker *w);

/* See whether there is a master.  If there is none and no standby, begin a
 * stop; as long as that is in doubt, set TIMER_PARENT. */
void leave_look(struct leave *l, struct worker *w);

#endif
