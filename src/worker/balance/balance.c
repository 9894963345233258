/* SPDX-License-Identifier: ISC */
/*
 * Keeping the slots even: in how many connections they hold and in how well
 * they serve them.
 */
#include "worker/balance/balance.h"

#include "lib/clock.h"
#include "worker/balance/handoff.h"

/* Connections given in one go at most: the others have to be served too. */
#define OFFER_BATCH 64
/* Time between two looks at how well slots serve, ms, and the part of its
 * connections that a slot changes then.  Changing one costs two epoll_ctl(2),
 * as much as a tenth of an echo. */
#define ROTATE_MS 2
#define ROTATE_SHARE 4

static bool
balance_may_be_given(const struct worker *w, int fd)
{
	return worker_connection(w, fd)->phase == PHASE_SERVING;
}

/* Those that came last are not the next to go: all have their turn. */
static unsigned
balance_offer_active(struct worker *w, unsigned to, unsigned n)
{
	unsigned given = 0;

	for (unsigned i = w->active_count; i-- > 0 && given < n;) {
		int fd =
		    w->active[w->active_count - 1 - w->turn++ % w->active_count]
			.fd;

		if (balance_may_be_given(w, fd)) {
			handoff_move(w, fd, to);
			given++;
		}
	}
	return given;
}

static unsigned
balance_give_cold(struct worker *w, unsigned to, unsigned n)
{
	unsigned given = 0;

	for (int fd = arena_next(w->arena, w->number, 0); fd != -1 && given < n;
	     fd = arena_next(w->arena, w->number, fd + 1))
		if (worker_connection(w, fd)->active == CONNECTION_INACTIVE &&
		    balance_may_be_given(w, fd)) {
			handoff_move(w, fd, to);
			given++;
		}
	return given;
}

/* Half the difference, if it is two or more: less would only move the
 * imbalance to the other side and back. */
static unsigned
balance_surplus(uint32_t mine, uint32_t other)
{
	uint32_t half = mine > other ? (mine - other) / 2 : 0;

	return half < OFFER_BATCH ? half : OFFER_BATCH;
}

/* More served per connection, by more than a tenth. */
static bool
balance_serves_more(uint64_t echoes, uint32_t active, uint64_t than,
    uint32_t of)
{
	return echoes * of * 10 > than * active * 11;
}

/*
 * Slots may be even and their clients not: a worker whose processor is slow, or
 * is not its own, serves them less, and they would have drawn that lot for
 * life.  So a worker that falls behind gives some to the one that serves its
 * clients best, which finds that it has more and gives others back: all take
 * turns.  Only behind a queue, that is: a worker that finds one client at a
 * time serves each as much as it asks for.
 */
static unsigned
balance_rotate(struct worker *w, unsigned *to)
{
	const struct slot *slot = w->arena->slot;
	/* Once: the master may change it while we look. */
	const unsigned workers = arena_workers(w->arena);
	uint64_t echoes[CONFIG_WORKERS_MAX];
	uint64_t now = clock_ms();
	unsigned best = w->number;
	bool queue = w->events > 2 * (w->round - w->rotate_round);
	bool first = w->rotate_at == 0;

	if (now < w->rotate_at || w->number >= workers)
		return 0;
	for (unsigned k = 0; k < workers; k++) {
		uint64_t sum = atomic_load_explicit(&slot[k].count.echoes,
		    memory_order_relaxed);

		echoes[k] = sum - w->served[k];
		w->served[k] = sum;
	}
	for (unsigned k = 0; k < workers; k++)
		if (handoff_takes(w, k) && slot[k].active > 0 &&
		    balance_serves_more(echoes[k], slot[k].active, echoes[best],
			slot[best].active))
			best = k;
	w->events = 0;
	w->rotate_round = w->round;
	w->rotate_at = now + ROTATE_MS;
	if (!queue || first || best == w->number)
		return 0;
	return balance_offer_active(w, *to = best,
	    w->active_count / ROTATE_SHARE + 1);
}

void
balance(struct worker *w)
{
	const struct slot *slot = w->arena->slot;
	unsigned trim = w->number, light = w->number, heavy = w->number;
	unsigned n = 0, to = w->number;

	w->balance_at = CLOCK_NEVER;
	for (unsigned k = 0; k < arena_workers(w->arena); k++) {
		if (!handoff_takes(w, k))
			continue;
		if (slot[k].active + slot[k].inflight <
		    slot[trim].active + slot[trim].inflight)
			trim = k;
		if (slot_load(&slot[k]) < slot_load(&slot[light]))
			light = k;
		if (slot_load(&slot[k]) > slot_load(&slot[heavy]))
			heavy = k;
	}
	n = balance_surplus(w->slot->active,
	    slot[trim].active + slot[trim].inflight);
	if (n > 0)
		n = balance_offer_active(w, to = trim, n);
	else if ((n = balance_rotate(w, &to)) > 0)
		;
	else if ((n = balance_surplus(slot_load(w->slot),
		      slot_load(&slot[light]))) > 0)
		n = balance_give_cold(w, to = light, n);
	else if (balance_surplus(slot_load(&slot[heavy]), slot_load(w->slot)) >
	    0)
		handoff_wake(w, heavy);
	if (n > 0) {
		handoff_notify(w, to);
		w->balance_at = clock_ms() + 1;
	}
}
