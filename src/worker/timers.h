/* SPDX-License-Identifier: ISC */
/*
 * The timers of a worker: one point in time for each thing that a worker does
 * later.
 *
 * A timer is one-shot: the loop takes a timer that is due and calls its owner,
 * which sets the timer again if the work is not finished.  So no timer can make
 * the loop spin.
 */
#ifndef ECHOD_WORKER_TIMERS_H
#define ECHOD_WORKER_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"

/* In the order in which the loop serves those that are due together. */
enum worker_timer {
	TIMER_PARENT,	   /* leave.c: is the master alive? */
	TIMER_TITLE,	   /* loop.c: update the process title */
	TIMER_RECOVERY,	   /* recover.c: the next slice */
	TIMER_ENROLL,	   /* loop.c: repeat a failed epoll_ctl(2) */
	TIMER_TRIM,	   /* memory.c: release unused windows */
	TIMER_MEMORY,	   /* memory.c: is memory still full? */
	TIMER_WITHDRAW,	   /* handoff.c: withdraw offers not accepted */
	TIMER_EXPIRE,	   /* handoff.c: void unredeemed reservations */
	TIMER_BALANCE,	   /* balance.c: even out the slots */
	TIMER_ACCEPT,	   /* accept.c: accept again after a shortage */
	TIMER_HEADERS,	   /* idle.c: close for overdue PROXY headers */
	TIMER_IDLE,	   /* idle.c: look for idle connections */
	TIMER_CONNECTIONS, /* serve.c: timers of connections */
	TIMER_REMOVED,	   /* drain.c: drain removed services */
	TIMER_DRAIN,	   /* drain.c, which takes this timer itself */
	TIMERS
};

/* Each in milliseconds as clock_ms(), or CLOCK_NEVER. */
struct timers {
	uint64_t at[TIMERS];
};

/* No timer is set. */
void timers_init(struct timers *t);

/* The earliest of all timers, CLOCK_NEVER if none is set. */
uint64_t timers_next(const struct timers *t);

/* Set a timer, whether or not it is set already. */
static inline void
timer_set(struct timers *t, enum worker_timer which, uint64_t at)
{
	t->at[which] = at;
}

static inline void
timer_clear(struct timers *t, enum worker_timer which)
{
	t->at[which] = CLOCK_NEVER;
}

static inline bool
timer_is_set(const struct timers *t, enum worker_timer which)
{
	return t->at[which] != CLOCK_NEVER;
}

/* Set a timer, unless it is set to an earlier time. */
static inline void
timer_sooner(struct timers *t, enum worker_timer which, uint64_t at)
{
	if (at < t->at[which])
		t->at[which] = at;
}

/* Set a timer `ms` from now, unless it is set. */
static inline void
timer_start(struct timers *t, enum worker_timer which, uint64_t ms)
{
	if (!timer_is_set(t, which))
		timer_set(t, which, clock_ms() + ms);
}

/* True if the timer is due at `now`; it is clear from then on. */
static inline bool
timer_take(struct timers *t, enum worker_timer which, uint64_t now)
{
	if (t->at[which] > now)
		return false;
	timer_clear(t, which);
	return true;
}

#endif
