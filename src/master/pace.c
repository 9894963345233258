/* SPDX-License-Identifier: ISC */
/*
 * A limit of the rounds that a loop makes in a time.
 *
 * An event that does not go away must not make the loop spin: for example, a
 * client of the control socket that cannot be accepted while the system is out
 * of descriptors (ENFILE).
 */
#include "master/pace.h"

#include <time.h>

#include "lib/clock.h"

/* Rounds that may come at once; after them one in PACE_MS. */
#define PACE_BURST 200
#define PACE_MS 2

void
pace_round(struct pace *p)
{
	static const struct timespec ts = { .tv_nsec = PACE_MS * 1000000L };
	uint64_t n = (clock_ms() - p->drained) / PACE_MS;

	p->level -= n < p->level ? n : p->level;
	p->drained += n * PACE_MS;
	if (p->level < PACE_BURST)
		p->level++;
	else
		(void)nanosleep(&ts, NULL);
}
