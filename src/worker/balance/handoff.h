/* SPDX-License-Identifier: ISC */
/*
 * Handing connections from slot to slot: where a new one is placed, giving one
 * away, taking one that was given.
 *
 * Giving is a store in the record (OPEN | me becomes GIVEN | other), a bit in
 * the other's inbox and, if it sleeps, a write to its eventfd.  The giver waits for nobody:
 * what the other has not taken after a moment is taken back, and the other is
 * left alone until it moves again.
 */
#ifndef ECHOD_WORKER_BALANCE_HANDOFF_H
#define ECHOD_WORKER_BALANCE_HANDOFF_H

#include "worker/worker.h"

/* Start with no offer outstanding. */
void handoff_init(struct worker *w);

/* True if slot `k` is another and likely to take what it is given. */
bool handoff_takes(const struct worker *w, unsigned k);

/* The slot that should get the next connection: the one with the fewest. */
unsigned handoff_place(const struct worker *w);

/*
 * Offer `fd`, whose record this slot owns or is filling in, to slot `to`,
 * where a place for it was reserved in `inflight`.  The slot's operation must
 * be OP_ACCEPT or OP_HANDOFF.  The caller calls handoff_notify() after it.
 */
void handoff_offer(struct worker *w, int fd, unsigned to);

/* Give `fd`, which this slot owns, to slot `to`, and handoff_notify() it soon. */
void handoff_move(struct worker *w, int fd, unsigned to);

/* Give up a place that was reserved in slot `k`. */
void handoff_unreserve(const struct worker *w, unsigned k);

/* A reservation whose giver died is never redeemed: once the inbox has been
 * empty for a while, count none. */
void handoff_expire(struct worker *w);

/* All places are taken, some by reservations: have their slots look whether
 * they are still to be redeemed. */
void handoff_wake_reserving(const struct worker *w);

/* End the sleep of slot `to`. */
void handoff_wake(const struct worker *w, unsigned to);

/* Have slot `to` look into its inbox: now if it sleeps, else before it does. */
void handoff_notify(const struct worker *w, unsigned to);

/* True if somebody told this slot, whose heartbeat says asleep, to look into
 * its inbox.  Nothing told after that is missed: it comes by eventfd. */
bool handoff_pending(const struct worker *w);

/* Take what is in this slot's inbox, if somebody told it to look. */
void handoff_check(struct worker *w);

/* Take what is in this slot's inbox. */
void handoff_accept(struct worker *w);

/* Take back what was offered and not taken. */
void handoff_withdraw(struct worker *w);

#endif
