/* SPDX-License-Identifier: ISC */
/*
 * Counters that agree with the records after a death.
 *
 * A connection is counted before its record says so.  In between, the slot says
 * what the counters were.  If the worker dies there, its successor goes back to
 * that.
 */
#ifndef ECHOD_WORKER_CONNECTION_COUNTING_H
#define ECHOD_WORKER_CONNECTION_COUNTING_H

#include "worker/worker.h"

/* The record of `fd` is in `state`, and is to leave it. */
static inline void
counting_begin(struct worker *w, int fd, enum connection_state state,
    enum close_reason reason)
{
	const struct connection *c = worker_connection(w, fd);
	const struct slot_counters *count = worker_count(w, c);
	struct counting *now = &w->slot->counting;

	now->state = state;
	now->service = worker_handler(w, c)->number % SERVICE_NUMBERS;
	now->reason = reason;
	now->accepted = atomic_load(&count->accepted);
	now->closed = atomic_load(&count->closed[reason]);
	now->rx_closed = atomic_load(&count->rx_closed);
	now->tx_closed = atomic_load(&count->tx_closed);
	store_barrier();
	atomic_store_explicit(&now->fd, (uint32_t)fd + 1, memory_order_relaxed);
	store_barrier();
}

/* The record has left that state. */
static inline void
counting_end(struct worker *w)
{
	store_barrier();
	atomic_store_explicit(&w->slot->counting.fd, 0, memory_order_relaxed);
}

/* The worker of slot `k` has died: nothing is counted that is not so. */
void counting_undo(const struct worker *w, unsigned k);

#endif
