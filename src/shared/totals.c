/* SPDX-License-Identifier: ISC */
/*
 * Sums over the slots of the arena.
 */
#include "shared/totals.h"

#include <string.h>

static uint64_t
totals_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The counters of a slot that has never had a worker are 0, and in pages that
 * need not be there. */
static bool
totals_is_used(const struct service_state *s, unsigned k)
{
	return k < ARENA_SLOTS_MAX && s->slot[k].wake_fd != 0;
}

static void
totals_add(struct totals *c, const struct slot_counters *count)
{
#define ADD(member, ...) c->member += totals_read(&count->member);
	SLOT_COUNTERS(ADD)
#undef ADD
	for (unsigned r = 0; r < CLOSE_REASONS; r++)
		c->closed[r] += totals_read(&count->closed[r]);
}

void
totals_sum(const struct arena *a, const struct service_state *s,
    struct totals *c)
{
	memset(c, 0, sizeof(*c));
	for (unsigned k = 0; k < a->slots; k++)
		for (unsigned i = 0;
		     i <= SERVICE_NUMBERS && totals_is_used(s, k); i++)
			totals_add(c, &a->slot[k].count[i]);
	for (unsigned k = 0; k < s->workers; k++) {
		c->connections += slot_load(&a->slot[k]);
		c->ready += atomic_load(&a->slot[k].state) == SLOT_READY;
	}
	for (unsigned i = 0; i < ARENA_SIGNALS; i++)
		c->deaths += s->totals.deaths[i];
}

void
totals_sum_service(const struct arena *a, const struct service_state *s,
    unsigned number, struct totals *c)
{
	memset(c, 0, sizeof(*c));
	for (unsigned k = 0; k < a->slots; k++)
		if (totals_is_used(s, k))
			totals_add(c, &a->slot[k].count[number]);
}

void
totals_connections(const struct arena *a, uint64_t n[SERVICE_NUMBERS])
{
	uint32_t marks[UINT8_MAX + 1] = { 0 };
	unsigned end = arena_end(a);

	for (unsigned fd = 0; fd < end; fd++)
		marks[atomic_load_explicit(&a->service[fd],
		    memory_order_relaxed)]++;
	for (unsigned i = 0; i < SERVICE_NUMBERS; i++)
		n[i] = marks[i + 1];
}

/* What was counted at `from` is counted at `to`. */
static void
totals_move(_Atomic uint64_t *to, _Atomic uint64_t *from)
{
	counter_add(to, totals_read(from));
	atomic_store_explicit(from, 0, memory_order_relaxed);
}

void
totals_begin_service(const struct arena *a, const struct service_state *s,
    unsigned number)
{
	for (unsigned k = 0; k < a->slots; k++) {
		struct slot_counters *from = &a->slot[k].count[number];
		struct slot_counters *to = &a->slot[k].count[SERVICE_NUMBERS];

		if (!totals_is_used(s, k))
			continue;

#define MOVE(member, ...) totals_move(&to->member, &from->member);
		SLOT_COUNTERS(MOVE)
		MOVE(rx_closed)
		MOVE(tx_closed)
		MOVE(bytes_cut)
#undef MOVE
		for (unsigned r = 0; r < CLOSE_REASONS; r++)
			totals_move(&to->closed[r], &from->closed[r]);
	}
}
