/* SPDX-License-Identifier: ISC */
/*
 * When a worker leaves: it is told to, or its master is gone.
 */
#ifndef ECHOD_WORKER_LEAVE_H
#define ECHOD_WORKER_LEAVE_H

#include <sys/types.h>

#include "worker/worker.h"

struct leave {
	pid_t master;	 /* 0: it is gone */
	unsigned rounds; /* of the loop */
};

/* Once a round: true if this worker leaves now, between two operations.  If the
 * master is gone, begin a stop instead. */
bool leave_told(struct leave *l, struct worker *w);

/* See whether the master is alive.  If it is gone, begin a stop; else set
 * TIMER_PARENT. */
void leave_look(struct leave *l, struct worker *w);

#endif
