/* SPDX-License-Identifier: ISC */
/*
 * Handing connections from slot to slot.
 */
#include "worker/balance/handoff.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "lib/clock.h"
#include "worker/balance/active.h"
#include "worker/connection/close.h"
#include "worker/connection/header.h"
#include "worker/events.h"
#include "worker/memory.h"

/* A reservation that nothing came of for so long is void, ms. */
#define HEAL_MS 1000
/* What was not taken after so long is taken back, ms. */
#define OFFER_MS 20

void
handoff_init(struct worker *w)
{
	w->offers_at = CLOCK_NEVER;
	w->balance_at = CLOCK_NEVER;
	w->heal_at = CLOCK_NEVER;
}

static uint64_t
handoff_heartbeat(const struct worker *w, unsigned k)
{
	return atomic_load_explicit(&w->arena->slot[k].heartbeat,
	    memory_order_relaxed);
}

bool
handoff_takes(const struct worker *w, unsigned k)
{
	return k != w->number &&
	    atomic_load_explicit(&w->arena->slot[k].state,
		memory_order_relaxed) == SLOT_READY &&
	    w->skipped[k] != handoff_heartbeat(w, k) + 1;
}

static void
handoff_reserve(struct slot *s)
{
	atomic_fetch_add(&s->inflight, 1);
}

/* `inflight` is a hint that a death may leave too high, so it must not be
 * taken below zero by those who correct it. */
static void
handoff_arrive(struct slot *s)
{
	uint32_t n = atomic_load(&s->inflight);

	while (n > 0 && !atomic_compare_exchange_weak(&s->inflight, &n, n - 1))
		;
}

unsigned
handoff_place(const struct worker *w)
{
	unsigned best = w->number;
	uint32_t least = slot_load(w->slot);

	for (unsigned k = 0; k < arena_workers(w->arena); k++) {
		uint32_t load = slot_load(&w->arena->slot[k]);

		if (load < least && handoff_takes(w, k)) {
			least = load;
			best = k;
		}
	}
	return best;
}

void
handoff_wake(const struct worker *w, unsigned to)
{
	(void)eventfd_write(w->arena->slot[to].wake_fd, 1);
}

void
handoff_notify(const struct worker *w, unsigned to)
{
	atomic_store(&w->arena->slot[to].wakeup_pending, 1);
	/* The other side of handoff_pending(): one of both sees the other's store. */
	atomic_thread_fence(memory_order_seq_cst);
	if (handoff_heartbeat(w, to) % 2 == 0)
		handoff_wake(w, to);
}

bool
handoff_pending(const struct worker *w)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&w->slot->wakeup_pending,
		   memory_order_relaxed) != 0;
}

void
handoff_offer(struct worker *w, int fd, unsigned to)
{
	struct connection *c = worker_connection(w, fd);

	atomic_store_explicit(&c->offered_by, (uint16_t)w->number,
	    memory_order_relaxed);
	connection_set(c, owner_word(CONN_OFFERED, to));
	store_barrier();
	/* A death here is mended by the successor, who sets the bit again. */
	atomic_fetch_or(&arena_handoff(w->arena, to)[fd / 64],
	    UINT64_C(1) << (fd % 64));
	if (w->offers_at == CLOCK_NEVER)
		w->offers_at = clock_ms() + OFFER_MS;
}

void
handoff_move(struct worker *w, int fd, unsigned to)
{
	struct operation *op = &w->slot->op;
	struct connection *c = worker_connection(w, fd);

	atomic_store_explicit(&op->kind, OP_HANDOFF, memory_order_relaxed);
	store_barrier();
	if (c->active == CONNECTION_INACTIVE)
		c->flags |= CONN_INACTIVE;
	else
		c->flags &= (uint8_t)~CONN_INACTIVE;
	events_forget(w, fd);
	active_remove(w, fd);
	handoff_reserve(&w->arena->slot[to]);
	atomic_fetch_sub(&w->slot->held, 1);
	memory_remove(w->slot, c);
	handoff_offer(w, fd, to);
	store_barrier();
	atomic_store_explicit(&op->kind, OP_NONE, memory_order_relaxed);
}

/* A record that has just become this slot's: hot if it was with its giver. */
static void
handoff_receive(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	w->moved++;
	c->active = CONNECTION_INACTIVE;
	c->paused = 0;
	atomic_fetch_add(&w->slot->held, 1);
	memory_add(w->slot, c);
	header_expect(w, c);
	if (!worker_can_serve(w, fd))
		close_connection(w, fd, CLOSE_ERROR, EOWNERDEAD);
	else if (connection_close_asked(c))
		close_connection(w, fd, CLOSE_REQUEST, 0);
	else if (events_add(w, fd) == -1)
		close_connection(w, fd, CLOSE_ERROR, errno);
	else if ((c->flags & CONN_INACTIVE) == 0) {
		(void)active_touch(w, fd);
		/* Its giver might have given its window back. */
		if (c->blocks > 0)
			memory_took(w, fd, 0);
	}
}

static bool
handoff_claim(struct worker *w, int fd, unsigned from)
{
	/* The last word of an inbox has bits beyond the last record. */
	if ((unsigned)fd >= w->arena->capacity)
		return false;
	if (!connection_swap(worker_connection(w, fd),
		owner_word(CONN_OFFERED, from),
		owner_word(CONN_OPEN, w->number)))
		return false;
	handoff_arrive(&w->arena->slot[from]);
	return true;
}

/* A bit for a connection that is ours already is the master's: an administrator
 * wants it closed. */
static void
handoff_obey(struct worker *w, int fd)
{
	const struct connection *c;

	if ((unsigned)fd >= w->arena->capacity)
		return;
	c = worker_connection(w, fd);
	if (connection_owner(c) == owner_word(CONN_OPEN, w->number) &&
	    connection_close_asked(c))
		close_connection(w, fd, CLOSE_REQUEST, 0);
}

void
handoff_accept(struct worker *w)
{
	_Atomic uint64_t *handoff = arena_handoff(w->arena, w->number);

	for (size_t i = 0; i < arena_handoff_used(w->arena); i++) {
		uint64_t bits;

		if (atomic_load_explicit(&handoff[i], memory_order_relaxed) ==
		    0)
			continue;
		bits = atomic_exchange(&handoff[i], 0);
		for (; bits != 0; bits &= bits - 1) {
			int fd = (int)i * 64 + __builtin_ctzll(bits);

			if (handoff_claim(w, fd, w->number))
				handoff_receive(w, fd);
			else
				handoff_obey(w, fd);
		}
	}
	if (atomic_load(&w->slot->inflight) != 0 && w->heal_at == CLOCK_NEVER)
		w->heal_at = clock_ms() + HEAL_MS;
}

void
handoff_check(struct worker *w)
{
	if (atomic_load_explicit(&w->slot->wakeup_pending,
		memory_order_relaxed) == 0)
		return;
	/* First the word, then the inbox: what comes in between is told of
	 * once more. */
	atomic_store(&w->slot->wakeup_pending, 0);
	atomic_thread_fence(memory_order_seq_cst);
	handoff_accept(w);
	w->balance_at = 0;
}

void
handoff_unreserve(const struct worker *w, unsigned k)
{
	handoff_arrive(&w->arena->slot[k]);
}

void
handoff_wake_reserving(const struct worker *w)
{
	for (unsigned k = 0; k < arena_workers(w->arena); k++)
		if (atomic_load_explicit(&w->arena->slot[k].inflight,
			memory_order_relaxed) != 0)
			handoff_wake(w, k);
}

void
handoff_expire(struct worker *w)
{
	const _Atomic uint64_t *handoff = arena_handoff(w->arena, w->number);

	w->heal_at = CLOCK_NEVER;
	for (size_t i = 0; i < arena_handoff_used(w->arena); i++)
		if (atomic_load_explicit(&handoff[i], memory_order_relaxed) !=
		    0)
			return;
	atomic_store(&w->slot->inflight, 0);
}

/* Take back from slot `k`; returns true if there was anything. */
static bool
handoff_reclaim_from(struct worker *w, unsigned k)
{
	_Atomic uint64_t *handoff = arena_handoff(w->arena, k);
	bool any = false;

	for (size_t i = 0; i < arena_handoff_used(w->arena); i++) {
		uint64_t bits = atomic_load_explicit(&handoff[i],
		    memory_order_relaxed);

		for (; bits != 0; bits &= bits - 1) {
			int fd = (int)i * 64 + __builtin_ctzll(bits);

			if ((unsigned)fd >= w->arena->capacity ||
			    atomic_load_explicit(&worker_connection(w, fd)
						      ->offered_by,
				memory_order_relaxed) != w->number ||
			    !handoff_claim(w, fd, k))
				continue;
			atomic_fetch_and(&handoff[i],
			    ~(UINT64_C(1) << (fd % 64)));
			handoff_receive(w, fd);
			any = true;
		}
	}
	return any;
}

void
handoff_withdraw(struct worker *w)
{
	w->offers_at = CLOCK_NEVER;
	for (unsigned k = 0; k < w->arena->slots; k++)
		if (k != w->number && handoff_reclaim_from(w, k))
			w->skipped[k] = handoff_heartbeat(w, k) + 1;
}
