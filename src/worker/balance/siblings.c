/* SPDX-License-Identifier: ISC */
/*
 * The other slots as a worker sees them.
 */
#include "worker/balance/siblings.h"

#include <sys/eventfd.h>

void
siblings_init(struct siblings *s, const struct arena *a, unsigned slot)
{
	*s = (struct siblings){ .arena = a, .number = slot };
}

static uint64_t
siblings_heartbeat(const struct siblings *s, unsigned k)
{
	return atomic_load_explicit(&s->arena->slot[k].heartbeat,
	    memory_order_relaxed);
}

bool
siblings_accepts(const struct siblings *s, unsigned k)
{
	return k != s->number &&
	    atomic_load_explicit(&s->arena->slot[k].state,
		memory_order_relaxed) == SLOT_READY &&
	    s->skipped[k] != siblings_heartbeat(s, k) + 1;
}

void
siblings_skip(struct siblings *s, unsigned k)
{
	s->skipped[k] = siblings_heartbeat(s, k) + 1;
}

unsigned
siblings_place(const struct siblings *s)
{
	unsigned best = s->number;
	uint32_t least = slot_load(&s->arena->slot[s->number]);

	for (unsigned k = 0; k < arena_workers(s->arena); k++) {
		uint32_t load = slot_load(&s->arena->slot[k]);

		if (load < least && siblings_accepts(s, k)) {
			least = load;
			best = k;
		}
	}
	return best;
}

void
siblings_reserve(const struct siblings *s, unsigned k)
{
	atomic_fetch_add(&s->arena->slot[k].inflight, 1);
}

/* `inflight` is a hint.  A death may leave it too high, and another worker may
 * set it to zero for that: it is never decremented below zero. */
void
siblings_unreserve(const struct siblings *s, unsigned k)
{
	_Atomic uint32_t *inflight = &s->arena->slot[k].inflight;
	uint32_t n = atomic_load(inflight);

	while (n > 0 && !atomic_compare_exchange_weak(inflight, &n, n - 1))
		;
}

void
siblings_wake(const struct siblings *s, unsigned k)
{
	(void)eventfd_write(s->arena->slot[k].wake_fd, 1);
}

void
siblings_wake_reserved(const struct siblings *s)
{
	for (unsigned k = 0; k < arena_workers(s->arena); k++)
		if (atomic_load_explicit(&s->arena->slot[k].inflight,
			memory_order_relaxed) != 0)
			siblings_wake(s, k);
}

void
siblings_notify(const struct siblings *s, unsigned k)
{
	atomic_store(&s->arena->slot[k].wakeup_pending, 1);
	/* Pairs with the fence in handoff_pending(): at least one of the two
	 * workers sees the store of the other. */
	atomic_thread_fence(memory_order_seq_cst);
	if (siblings_heartbeat(s, k) % 2 == 0)
		siblings_wake(s, k);
}
