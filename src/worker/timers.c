/* SPDX-License-Identifier: ISC */
/*
 * The timers of a worker.
 */
#include "worker/timers.h"

void
timers_init(struct timers *t)
{
	for (unsigned i = 0; i < TIMERS; i++)
		t->at[i] = CLOCK_NEVER;
}

uint64_t
timers_next(const struct timers *t)
{
	uint64_t next = CLOCK_NEVER;

	for (unsigned i = 0; i < TIMERS; i++)
		next = clock_earlier(next, t->at[i]);
	return next;
}
