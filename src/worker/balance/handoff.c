/* SPDX-License-Identifier: ISC */
/*
 * The hand-off of connections from slot to slot.
 */
#include "worker/balance/handoff.h"

#include <errno.h>

#include "lib/clock.h"
#include "worker/connection/close.h"
#include "worker/connection/header.h"
#include "worker/connection/serve.h"
#include "worker/connection/window.h"
#include "worker/memory.h"
#include "worker/recovery/visit.h"

/* A reservation that is not redeemed for so long is void, ms. */
#define EXPIRE_MS 1000
/* An offer that is not accepted for so long is withdrawn, ms. */
#define OFFER_MS 20

bool
handoff_pending(const struct worker *w)
{
	/* Pairs with the fence in siblings_notify(). */
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
	/* After a death here, the successor sets the bit. */
	atomic_fetch_or(&arena_handoff(w->arena, to)[fd / 64],
	    UINT64_C(1) << (fd % 64));
	timer_start(&w->timers, TIMER_WITHDRAW, OFFER_MS);
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
	events_forget(&w->events, fd);
	active_remove(&w->active, fd);
	wakeups_remove(&w->wakeups, fd);
	siblings_reserve(&w->siblings, to);
	atomic_fetch_sub(&w->slot->held, 1);
	window_remove(w->slot, c);
	handoff_offer(w, fd, to);
	store_barrier();
	atomic_store_explicit(&op->kind, OP_NONE, memory_order_relaxed);
}

/* A record has just become this slot's.  Its connection is active here if it
 * was active in the slot that offered it. */
static void
handoff_receive(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	w->moved++;
	slices_mark(&w->slices, fd);
	c->active = CONNECTION_INACTIVE;
	c->paused = 0;
	atomic_fetch_add(&w->slot->held, 1);
	window_add(w->slot, c);
	header_expect(w, c);
	if (!worker_can_serve(w, fd)) {
		close_connection(w, fd, CLOSE_ERROR, EOWNERDEAD);
		return;
	}
	if (connection_close_asked(c)) {
		close_connection(w, fd, CLOSE_REQUEST, 0);
		return;
	}
	if (!close_unless_watched(w, fd))
		return;
	if ((c->flags & CONN_INACTIVE) == 0) {
		(void)active_touch(&w->active, fd);
		/* The slot that offered it might have released its window. */
		if (connection_blocks(c) > 0)
			memory_took(w, fd, 0, 0);
	}
	serve_resume(w, fd);
}

/* Make `fd`, if it is offered to slot `to`, this slot's. */
static bool
handoff_claim(struct worker *w, int fd, unsigned to)
{
	/* The last word of a bitmap has bits beyond the last record. */
	if ((unsigned)fd >= w->arena->capacity)
		return false;
	if (!connection_swap(worker_connection(w, fd),
		owner_word(CONN_OFFERED, to), owner_word(CONN_OPEN, w->number)))
		return false;
	siblings_unreserve(&w->siblings, to);
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
	    visit_record(w, fd) && connection_close_asked(c))
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
	if (atomic_load(&w->slot->inflight) != 0)
		timer_start(&w->timers, TIMER_EXPIRE, EXPIRE_MS);
}

void
handoff_check(struct worker *w)
{
	if (atomic_load_explicit(&w->slot->wakeup_pending,
		memory_order_relaxed) == 0)
		return;
	/* The word is cleared before the bitmap is read: an offer that comes
	 * in between sets the word again. */
	atomic_store(&w->slot->wakeup_pending, 0);
	atomic_thread_fence(memory_order_seq_cst);
	handoff_accept(w);
	timer_set(&w->timers, TIMER_BALANCE, 0);
}

void
handoff_expire(struct worker *w)
{
	const _Atomic uint64_t *handoff = arena_handoff(w->arena, w->number);

	for (size_t i = 0; i < arena_handoff_used(w->arena); i++)
		if (atomic_load_explicit(&handoff[i], memory_order_relaxed) !=
		    0)
			return;
	atomic_store(&w->slot->inflight, 0);
}

/* Withdraw the offers to slot `k`; returns true if there were any. */
static bool
handoff_withdraw_from(struct worker *w, unsigned k)
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
	timer_clear(&w->timers, TIMER_WITHDRAW);
	for (unsigned k = 0; k < w->arena->slots; k++)
		if (k != w->number && handoff_withdraw_from(w, k))
			siblings_skip(&w->siblings, k);
}
