/* SPDX-License-Identifier: ISC */
/*
 * A limit of the rounds that a loop makes in a time.
 */
#ifndef ECHOD_MASTER_PACE_H
#define ECHOD_MASTER_PACE_H

#include <stdint.h>

/* All zero at the beginning. */
struct pace {
	uint64_t level;	  /* rounds that count */
	uint64_t drained; /* clock_ms() up to which they were forgotten */
};

/* Count a round.  If there were too many of late, sleep for a moment. */
void pace_round(struct pace *p);

#endif
