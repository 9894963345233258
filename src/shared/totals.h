/* SPDX-License-Identifier: ISC */
/*
 * Sums over the slots of the arena.
 */
#ifndef ECHOD_SHARED_TOTALS_H
#define ECHOD_SHARED_TOTALS_H

#include "shared/service.h"

/* The counters of all slots together. */
struct totals {
	uint64_t connections;
	SLOT_COUNTERS(COUNTER_MEMBER)
	uint64_t closed[CLOSE_REASONS];
	uint64_t deaths;
	unsigned ready; /* workers that serve */
};

void totals_sum(const struct arena *a, const struct service_state *s,
    struct totals *c);

#endif
