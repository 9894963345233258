/* SPDX-License-Identifier: ISC */
/*
 * Keeping the slots even: in how many connections they hold and in how well
 * they serve them.
 */
#include "worker/balance/balance.h"

#include "lib/clock.h"
#include "worker/balance/handoff.h"
#include "worker/recovery/visit.h"

/* Rounds between two looks at how even the slots are. */
#define BALANCE_ROUNDS 16
/* The same after connections came or went, ms. */
#define BALANCE_MS 5
/* Most connections offered at a time: the others need service, too. */
#define OFFER_BATCH 64
/* Time between two comparisons of how well the slots serve, ms, and the part of
 * its connections that a slot offers then.  A hand-off costs two epoll_ctl(2),
 * as much as a tenth of an echo. */
#define ROTATE_MS 2
#define ROTATE_SHARE 4

static bool
balance_may_offer(const struct worker *w, int fd)
{
	return worker_connection(w, fd)->phase == PHASE_SERVING;
}

/* All have their turn: those that came last are not the next to go. */
static unsigned
balance_offer_active(struct balance *b, struct worker *w, unsigned to,
    unsigned n)
{
	const struct active_set *s = &w->active;
	unsigned offered = 0;

	for (unsigned i = s->count; i-- > 0 && offered < n;) {
		int fd = active_at(s, s->count - 1 - b->turn++ % s->count);

		if (balance_may_offer(w, fd)) {
			handoff_move(w, fd, to);
			offered++;
		}
	}
	return offered;
}

static unsigned
balance_offer_inactive(struct worker *w, unsigned to, unsigned n)
{
	unsigned offered = 0;

	for (int fd = visit_next(w, 0); fd != -1 && offered < n;
	     fd = visit_next(w, fd + 1))
		if (worker_connection(w, fd)->active == CONNECTION_INACTIVE &&
		    balance_may_offer(w, fd)) {
			handoff_move(w, fd, to);
			offered++;
		}
	return offered;
}

/* Half the difference, if it is two or more: less would only move the
 * imbalance to the other side and back. */
static unsigned
balance_surplus(uint32_t mine, uint32_t other)
{
	uint32_t half = mine > other ? (mine - other) / 2 : 0;

	return half < OFFER_BATCH ? half : OFFER_BATCH;
}

/* More echoes for each connection, by more than a tenth. */
static bool
balance_serves_more(uint64_t echoes, uint32_t active, uint64_t than,
    uint32_t of)
{
	return echoes * of * 10 > than * active * 11;
}

/*
 * Slots may be even while their clients are not: a worker whose processor is
 * slow, or is shared, serves its clients less, and they would have to stay
 * with it.  So a worker that falls behind offers some connections to the one
 * that serves its clients best, which then has more and offers others back:
 * all take turns.  This is done only behind a queue: a worker that finds one
 * client at a time serves each client as often as it asks.
 */
static unsigned
balance_rotate(struct balance *b, struct worker *w, unsigned *to)
{
	const struct slot *slot = w->arena->slot;
	/* Read once: the master may change it meanwhile. */
	const unsigned workers = arena_workers(w->arena);
	uint64_t echoes[CONFIG_WORKERS_MAX];
	uint64_t now = clock_ms();
	unsigned best = w->number;
	bool queue = b->events > 2 * b->batches;
	bool first = b->compare_at == 0;

	if (now < b->compare_at || w->number >= workers)
		return 0;
	for (unsigned k = 0; k < workers; k++) {
		uint64_t sum = slot_sum(&slot[k], echoes);

		echoes[k] = sum - b->echoes[k];
		b->echoes[k] = sum;
	}
	for (unsigned k = 0; k < workers; k++)
		if (siblings_accepts(&w->siblings, k) && slot[k].active > 0 &&
		    balance_serves_more(echoes[k], slot[k].active, echoes[best],
			slot[best].active))
			best = k;
	b->events = 0;
	b->batches = 0;
	b->compare_at = now + ROTATE_MS;
	if (!queue || first || best == w->number)
		return 0;
	return balance_offer_active(b, w, *to = best,
	    w->active.count / ROTATE_SHARE + 1);
}

void
balance_note(struct balance *b, unsigned events)
{
	b->batches++;
	b->events += events;
}

void
balance_round(struct balance *b, struct worker *w)
{
	if (w->draining || arena_workers(w->arena) <= 1)
		timer_clear(&w->timers, TIMER_BALANCE);
	else if (++b->rounds % BALANCE_ROUNDS == 0)
		timer_set(&w->timers, TIMER_BALANCE, 0);
	else if (w->changed)
		timer_sooner(&w->timers, TIMER_BALANCE,
		    clock_ms() + BALANCE_MS);
	w->changed = false;
}

void
balance(struct balance *b, struct worker *w)
{
	const struct slot *slot = w->arena->slot;
	unsigned calm = w->number, light = w->number, heavy = w->number;
	unsigned n = 0, to = w->number;

	for (unsigned k = 0; k < arena_workers(w->arena); k++) {
		if (!siblings_accepts(&w->siblings, k))
			continue;
		if (slot[k].active + slot[k].inflight <
		    slot[calm].active + slot[calm].inflight)
			calm = k;
		if (slot_load(&slot[k]) < slot_load(&slot[light]))
			light = k;
		if (slot_load(&slot[k]) > slot_load(&slot[heavy]))
			heavy = k;
	}
	n = balance_surplus(w->slot->active,
	    slot[calm].active + slot[calm].inflight);
	if (n > 0)
		n = balance_offer_active(b, w, to = calm, n);
	else if ((n = balance_rotate(b, w, &to)) > 0)
		;
	else if ((n = balance_surplus(slot_load(w->slot),
		      slot_load(&slot[light]))) > 0)
		n = balance_offer_inactive(w, to = light, n);
	else if (balance_surplus(slot_load(&slot[heavy]), slot_load(w->slot)) >
	    0)
		siblings_wake(&w->siblings, heavy);
	if (n > 0) {
		siblings_notify(&w->siblings, to);
		timer_set(&w->timers, TIMER_BALANCE, clock_ms() + 1);
	}
}
