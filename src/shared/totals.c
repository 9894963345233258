/* SPDX-License-Identifier: ISC */
/*
 * Sums over the slots of the arena.
 */
#include "shared/totals.h"

#include <string.h>

void
totals_sum(const struct arena *a, const struct service_state *s,
    struct totals *c)
{
	memset(c, 0, sizeof(*c));
	for (unsigned k = 0; k < a->slots; k++) {
		const struct slot *slot = &a->slot[k];

#define ADD(member, ...) c->member += slot_sum(slot, member);
		SLOT_COUNTERS(ADD)
#undef ADD
		for (unsigned r = 0; r < CLOSE_REASONS; r++)
			c->closed[r] += slot_sum(slot, closed[r]);
	}
	for (unsigned k = 0; k < s->workers; k++) {
		c->connections += slot_load(&a->slot[k]);
		c->ready += atomic_load(&a->slot[k].state) == SLOT_READY;
	}
	for (unsigned i = 0; i < ARENA_SIGNALS; i++)
		c->deaths += s->totals.deaths[i];
}
