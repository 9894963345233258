/*
 * The end of a connection: its record, its descriptor, its line in the log.
 */
#include "worker/close.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/hot.h"

void
close_account(struct worker *w, const struct connection *c,
    enum close_reason reason, int error)
{
	struct slot_counters *count = &w->slot->count;
	uint64_t ms;

	counter_add(&count->closed[reason], 1);
	counter_add(&count->rx_closed, c->rx);
	counter_add(&count->tx_closed, c->tx);
	if (!log_wants(LOG_LEVEL_VERBOSE))
		return;
	ms = clock_ms() - c->opened;
	log_verbose("%s closed: %s%s%s, %llu bytes in, %llu out, %llu.%03llu s",
	    peer_name(&c->peer), close_reason_name(reason),
	    error != 0 ? ": " : "", error != 0 ? strerror(error) : "",
	    (unsigned long long)c->rx, (unsigned long long)c->tx,
	    (unsigned long long)ms / 1000, (unsigned long long)ms % 1000);
}

void
close_connection(struct worker *w, int fd, enum close_reason reason, int error)
{
	struct connection *c = worker_connection(w, fd);
	struct operation *op = &w->slot->op;

	hot_remove(w, fd);
	close_account(w, c, reason, error);
	op->fd = fd;
	op->cookie = c->cookie;
	publish();
	atomic_store_explicit(&op->kind, OP_CLOSE, memory_order_relaxed);
	publish();
	if ((c->flags & CONN_TOUCHED) != 0)
		arena_release_window(w->arena, fd);
	/* Free first, close after: once closed, the number and the record may
	 * be another worker's.  Closing also takes it out of the lot. */
	atomic_store_explicit(&c->state, CONN_FREE, memory_order_release);
	atomic_fetch_sub_explicit(&w->slot->held, 1, memory_order_release);
	close(fd);
	publish();
	atomic_store_explicit(&op->kind, OP_NONE, memory_order_relaxed);
}
