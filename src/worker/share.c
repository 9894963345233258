/*
 * Sharing connections between slots.
 */
#include "worker/share.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "worker/close.h"
#include "worker/hot.h"
#include "worker/watch.h"

/* A reservation that nothing came of for so long is void, ms. */
#define HEAL_MS 1000
/* What was not taken after so long is taken back, ms. */
#define OFFER_MS 20
/* Connections given in one go at most: the others have to be served too. */
#define GIVE_BATCH 64

void
share_init(struct worker *w)
{
	w->offers_at = CLOCK_NEVER;
	w->balance_at = CLOCK_NEVER;
	w->heal_at = CLOCK_NEVER;
}

static uint64_t
heartbeat(const struct worker *w, unsigned k)
{
	return atomic_load_explicit(&w->arena->slot[k].heartbeat,
	    memory_order_relaxed);
}

/* Slots that are likely to take what they are given. */
static bool
eligible(const struct worker *w, unsigned k)
{
	return k != w->number && atomic_load_explicit(
	    &w->arena->slot[k].state, memory_order_relaxed) == SLOT_READY &&
	    w->shunned[k] != heartbeat(w, k) + 1;
}

static void
reserve(struct slot *s)
{
	atomic_fetch_add(&s->inflight, 1);
}

/* `inflight` is a hint that a death may leave too high, so it must not be
 * taken below zero by those who correct it. */
static void
arrive(struct slot *s)
{
	uint32_t n = atomic_load(&s->inflight);

	while (n > 0 && !atomic_compare_exchange_weak(&s->inflight, &n, n - 1))
		;
}

unsigned
share_place(const struct worker *w)
{
	unsigned best = w->number;
	uint32_t least = slot_load(w->slot);

	for (unsigned k = 0; k < arena_workers(w->arena); k++) {
		uint32_t load = slot_load(&w->arena->slot[k]);

		if (load < least && eligible(w, k)) {
			least = load;
			best = k;
		}
	}
	return best;
}

void
share_wake(const struct worker *w, unsigned to)
{
	(void)eventfd_write(w->arena->slot[to].wake_fd, 1);
}

void
share_offer(struct worker *w, int fd, unsigned to)
{
	struct connection *c = worker_connection(w, fd);

	c->giver = (uint16_t)w->number;
	atomic_store_explicit(&c->holder, connection_holder(CONN_GIVEN, to),
	    memory_order_release);
	publish();
	/* A death here is mended by the successor, who sets the bit again. */
	atomic_fetch_or(&arena_inbox(w->arena, to)[fd / 64],
	    UINT64_C(1) << (fd % 64));
	if (w->offers_at == CLOCK_NEVER)
		w->offers_at = clock_ms() + OFFER_MS;
}

static void
give(struct worker *w, int fd, unsigned to)
{
	struct operation *op = &w->slot->op;
	struct connection *c = worker_connection(w, fd);

	atomic_store_explicit(&op->kind, OP_GIVE, memory_order_relaxed);
	publish();
	if (c->hot == CONNECTION_NOT_HOT)
		c->flags |= CONN_COLD;
	else
		c->flags &= (uint8_t)~CONN_COLD;
	watch_forget(w, fd);
	hot_remove(w, fd);
	reserve(&w->arena->slot[to]);
	atomic_fetch_sub(&w->slot->held, 1);
	share_offer(w, fd, to);
	publish();
	atomic_store_explicit(&op->kind, OP_NONE, memory_order_relaxed);
}

/* A record that has just become this slot's: hot if it was with its giver. */
static void
receive(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	c->hot = CONNECTION_NOT_HOT;
	atomic_fetch_add(&w->slot->held, 1);
	if (!worker_can_serve(w, fd))
		close_connection(w, fd, CLOSE_ERROR, EOWNERDEAD);
	else if (watch_add(w, fd) == -1)
		close_connection(w, fd, CLOSE_ERROR, errno);
	else if ((c->flags & CONN_COLD) == 0)
		(void)hot_touch(w, fd);
}

static bool
claim(struct worker *w, int fd, unsigned from)
{
	uint32_t given = connection_holder(CONN_GIVEN, from);

	/* The last word of an inbox has bits beyond the last record. */
	if ((unsigned)fd >= w->arena->capacity)
		return false;
	if (!atomic_compare_exchange_strong(&worker_connection(w, fd)->holder,
	    &given, connection_holder(CONN_OPEN, w->number)))
		return false;
	arrive(&w->arena->slot[from]);
	return true;
}

void
share_adopt(struct worker *w)
{
	_Atomic uint64_t *inbox = arena_inbox(w->arena, w->number);

	for (size_t i = 0; i < arena_inbox_used(w->arena); i++) {
		uint64_t bits;

		if (atomic_load_explicit(&inbox[i], memory_order_relaxed) == 0)
			continue;
		bits = atomic_exchange(&inbox[i], 0);
		for (; bits != 0; bits &= bits - 1) {
			int fd = (int)i * 64 + __builtin_ctzll(bits);

			if (claim(w, fd, w->number))
				receive(w, fd);
		}
	}
	if (atomic_load(&w->slot->inflight) != 0 && w->heal_at == CLOCK_NEVER)
		w->heal_at = clock_ms() + HEAL_MS;
}

void
share_unreserve(const struct worker *w, unsigned k)
{
	arrive(&w->arena->slot[k]);
}

void
share_wake_expectant(const struct worker *w)
{
	for (unsigned k = 0; k < arena_workers(w->arena); k++)
		if (atomic_load_explicit(&w->arena->slot[k].inflight,
		    memory_order_relaxed) != 0)
			share_wake(w, k);
}

void
share_heal(struct worker *w)
{
	const _Atomic uint64_t *inbox = arena_inbox(w->arena, w->number);

	w->heal_at = CLOCK_NEVER;
	for (size_t i = 0; i < arena_inbox_used(w->arena); i++)
		if (atomic_load_explicit(&inbox[i], memory_order_relaxed) != 0)
			return;
	atomic_store(&w->slot->inflight, 0);
}

/* Take back from slot `k`; returns true if there was anything. */
static bool
reclaim_from(struct worker *w, unsigned k)
{
	_Atomic uint64_t *inbox = arena_inbox(w->arena, k);
	bool any = false;

	for (size_t i = 0; i < arena_inbox_used(w->arena); i++) {
		uint64_t bits = atomic_load_explicit(&inbox[i],
		    memory_order_relaxed);

		for (; bits != 0; bits &= bits - 1) {
			int fd = (int)i * 64 + __builtin_ctzll(bits);

			if ((unsigned)fd >= w->arena->capacity ||
			    worker_connection(w, fd)->giver != w->number ||
			    !claim(w, fd, k))
				continue;
			atomic_fetch_and(&inbox[i],
			    ~(UINT64_C(1) << (fd % 64)));
			receive(w, fd);
			any = true;
		}
	}
	return any;
}

void
share_reclaim(struct worker *w)
{
	w->offers_at = CLOCK_NEVER;
	for (unsigned k = 0; k < w->arena->slots; k++)
		if (k != w->number && reclaim_from(w, k))
			w->shunned[k] = heartbeat(w, k) + 1;
}

static bool
may_be_given(const struct worker *w, int fd)
{
	return worker_connection(w, fd)->phase == PHASE_SERVING;
}

static unsigned
give_hot(struct worker *w, unsigned to, unsigned n)
{
	unsigned given = 0;

	for (unsigned i = w->hots; i-- > 0 && given < n; )
		if (may_be_given(w, w->hot[i].fd)) {
			give(w, w->hot[i].fd, to);
			given++;
		}
	return given;
}

static unsigned
give_cold(struct worker *w, unsigned to, unsigned n)
{
	unsigned given = 0;

	for (int fd = arena_next(w->arena, w->number, 0); fd != -1 &&
	    given < n; fd = arena_next(w->arena, w->number, fd + 1))
		if (worker_connection(w, fd)->hot == CONNECTION_NOT_HOT &&
		    may_be_given(w, fd)) {
			give(w, fd, to);
			given++;
		}
	return given;
}

/* Half the difference, if it is two or more: less would only move the
 * imbalance to the other side and back. */
static unsigned
surplus(uint32_t mine, uint32_t other)
{
	uint32_t half = mine > other ? (mine - other) / 2 : 0;

	return half < GIVE_BATCH ? half : GIVE_BATCH;
}

void
share_balance(struct worker *w)
{
	const struct slot *slot = w->arena->slot;
	unsigned cool = w->number, light = w->number, heavy = w->number;
	unsigned n = 0, to = w->number;

	w->balance_at = CLOCK_NEVER;
	for (unsigned k = 0; k < arena_workers(w->arena); k++) {
		if (!eligible(w, k))
			continue;
		if (slot[k].hot + slot[k].inflight <
		    slot[cool].hot + slot[cool].inflight)
			cool = k;
		if (slot_load(&slot[k]) < slot_load(&slot[light]))
			light = k;
		if (slot_load(&slot[k]) > slot_load(&slot[heavy]))
			heavy = k;
	}
	n = surplus(w->slot->hot, slot[cool].hot + slot[cool].inflight);
	if (n > 0)
		n = give_hot(w, to = cool, n);
	else if ((n = surplus(slot_load(w->slot), slot_load(&slot[light]))) >
	    0)
		n = give_cold(w, to = light, n);
	else if (surplus(slot_load(&slot[heavy]), slot_load(w->slot)) > 0)
		share_wake(w, heavy);
	if (n > 0) {
		share_wake(w, to);
		w->balance_at = clock_ms() + 1;
	}
}
