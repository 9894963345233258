/* SPDX-License-Identifier: ISC */
/*
 * The hand-off of connections from slot to slot.
 *
 * An offer is a store in the record (OPEN | me becomes OFFERED | other), a bit
 * in the other's handoff bitmap and, if the other sleeps, a write to its
 * eventfd.  Nobody waits for the other: an offer that is not accepted after a
 * moment is withdrawn, and the other is offered nothing until it moves again.
 */
#ifndef ECHOD_WORKER_BALANCE_HANDOFF_H
#define ECHOD_WORKER_BALANCE_HANDOFF_H

#include "worker/worker.h"

/*
 * Offer `fd`, whose record this slot owns or is filling in, to slot `to`,
 * where a place for it was reserved in `inflight`.  The slot's operation must
 * be OP_ACCEPT or OP_HANDOFF.  The caller calls siblings_notify() after it.
 */
void handoff_offer(struct worker *w, int fd, unsigned to);

/* Offer `fd`, which this slot owns and serves, to slot `to`.  The caller calls
 * siblings_notify() soon. */
void handoff_move(struct worker *w, int fd, unsigned to);

/* True if this slot, whose heartbeat says asleep, has a wakeup pending.  A
 * wakeup that comes after that is not missed: it comes by eventfd. */
bool handoff_pending(const struct worker *w);

/* Accept the offers in this slot's handoff bitmap, if a wakeup is pending. */
void handoff_check(struct worker *w);

/* Accept the offers in this slot's handoff bitmap. */
void handoff_accept(struct worker *w);

/* Withdraw the offers that were not accepted. */
void handoff_withdraw(struct worker *w);

/* A reservation whose owner died is never redeemed: if the bitmap is empty,
 * void all reservations in this slot. */
void handoff_expire(struct worker *w);

#endif
