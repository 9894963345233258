/* SPDX-License-Identifier: ISC */
/*
 * The other slots as a worker sees them: which of them accept a hand-off, how
 * many connections they have, and how to wake them.
 */
#ifndef ECHOD_WORKER_BALANCE_SIBLINGS_H
#define ECHOD_WORKER_BALANCE_SIBLINGS_H

#include "config/config.h"
#include "shared/arena.h"

struct siblings {
	const struct arena *arena;
	unsigned number; /* our own slot */
	/* By slot: its heartbeat + 1 at the time when it had not accepted an
	 * offer.  It gets no offer until its heartbeat changes. */
	uint64_t skipped[CONFIG_WORKERS_MAX];
};

void siblings_init(struct siblings *s, const struct arena *a, unsigned slot);

/* True if slot `k` is another slot and likely to accept an offer. */
bool siblings_accepts(const struct siblings *s, unsigned k);

/* Slot `k` did not accept an offer: make no more until it moves again. */
void siblings_skip(struct siblings *s, unsigned k);

/* The slot that gets the next connection: the one with the fewest. */
unsigned siblings_place(const struct siblings *s);

/* Reserve a place in slot `k` for a connection that is offered to it. */
void siblings_reserve(const struct siblings *s, unsigned k);

/* Redeem or cancel a reservation in slot `k`. */
void siblings_unreserve(const struct siblings *s, unsigned k);

/* End the sleep of slot `k`. */
void siblings_wake(const struct siblings *s, unsigned k);

/* Wake the slots that have reservations: they void unredeemed ones after a
 * while. */
void siblings_wake_reserved(const struct siblings *s);

/* Slot `k` has a new bit in its handoff bitmap: it looks now if it sleeps, else
 * before it sleeps. */
void siblings_notify(const struct siblings *s, unsigned k);

#endif
