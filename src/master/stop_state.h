/* SPDX-License-Identifier: ISC */
/*
 * How far a stop is: struct stop, which stop.c owns and others read.
 */
#ifndef ECHOD_MASTER_STOP_STATE_H
#define ECHOD_MASTER_STOP_STATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 *                  signal, command
 *   STOP_NONE ---------------------> STOP_DELAYED     workers accept and serve
 *                                        |
 *                drain_at, a second signal
 *                                        v
 *                                    STOP_DRAINING    workers serve what they
 *                                        |            have until kill_at
 *         no worker left, or kill_at: SIGKILL
 *                                        v
 *                                     (exit)
 *
 * There is no way back.  A stop abandons a reload that is under way.
 */
enum stop_phase {
	STOP_NONE,
	STOP_DELAYED,
	STOP_DRAINING
};

/* Times are clock_ms(). */
struct stop {
	enum stop_phase phase;
	uint64_t began;	   /* the first signal */
	uint64_t drain_at; /* the end of shutdown-delay */
	uint64_t kill_at;  /* the deadline */
	bool over;	   /* the deadline has passed; all were killed */
	unsigned killed;   /* workers that the deadline killed */
};

#endif
