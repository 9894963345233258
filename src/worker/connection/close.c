/* SPDX-License-Identifier: ISC */
/*
 * The end of a connection.
 */
#include "worker/connection/close.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "worker/connection/admission.h"
#include "worker/connection/counting.h"
#include "worker/connection/rate.h"
#include "worker/connection/window.h"

void
close_account(struct worker *w, const struct connection *c,
    enum close_reason reason, int error)
{
	struct slot_counters *count = worker_count(w, c);
	uint64_t ms;

	counter_add(&count->closed[reason], 1);
	counter_add(&count->rx_closed, c->rx);
	counter_add(&count->tx_closed, c->tx);
	if (!log_wants(LOG_LEVEL_VERBOSE))
		return;
	ms = clock_ms() - c->opened;
	log_verbose("%s closed: %s%s%s, %llu bytes in, %llu out, %llu.%03llu s",
	    worker_client_name(w, c), close_reason_name(reason),
	    error != 0 ? ": " : "", error != 0 ? strerror(error) : "",
	    (unsigned long long)c->rx, (unsigned long long)c->tx,
	    (unsigned long long)ms / 1000, (unsigned long long)ms % 1000);
}

void
close_connection(struct worker *w, int fd, enum close_reason reason, int error)
{
	struct connection *c = worker_connection(w, fd);

	w->moved++;
	slices_count(&w->slices, c, fd);
	active_remove(&w->active, fd);
	wakeups_remove(&w->wakeups, fd);
	if ((c->flags & CONN_CHARGED) != 0 && c->rx == 0 &&
	    (reason == CLOSE_EOF || reason == CLOSE_RESET))
		rate_return(w, connection_half(c)->entry % HANDLER_ENTRIES);
	counting_begin(w, fd, CONN_OPEN, reason);
	close_account(w, c, reason, error);
	window_remove(w->slot, c);
	atomic_fetch_sub_explicit(&w->slot->held, 1, memory_order_release);
	connection_set(c, owner_word(CONN_CLOSING, w->number));
	counting_end(w);
	store_barrier();
	atomic_store_explicit(&w->slot->op.kind, OP_NONE, memory_order_relaxed);
	close_descriptor(w, fd);
	w->changed = true;
}

/* socket(7): a close with a linger time of 0 discards unsent output and sends
 * RST. */
void
close_reset(struct worker *w, int fd, enum close_reason reason)
{
	static const struct linger now = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close_connection(w, fd, reason, 0);
}

bool
close_unless_watched(struct worker *w, int fd)
{
	if (events_add(&w->events, fd) == 0)
		return true;
	close_connection(w, fd, CLOSE_ERROR, errno);
	return false;
}

void
close_descriptor(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	/* Only now: a successor needs the pending bytes of an OPEN record. */
	window_release_pages(w->arena, fd);
	if (worker_handler(w, c)->state_size > STATE_LIMIT / 2)
		arena_release_state(w->arena, fd);
	admission_leave(w, fd);
	/* Closing also removes the entry from the epoll instance, unless
	 * another process has a copy of the descriptor.  An entry that stayed
	 * would report events for ever, and a closed number cannot remove
	 * it. */
	if (atomic_load_explicit(&w->arena->header->copied,
		memory_order_relaxed) != 0)
		events_disown(&w->events, fd);
	close(fd);
	/* This fails if another worker has the number already; that is fine. */
	(void)connection_swap(c, owner_word(CONN_CLOSING, w->number),
	    owner_word(CONN_FREE, 0));
}
