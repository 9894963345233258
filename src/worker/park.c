/*
 * The parking lot: in by epoll_ctl(2), out by one event (EPOLLONESHOT).
 *
 * The epoll instance lives in the shared descriptor table, so a successor
 * inherits the lot as it is.
 */
#include "worker/park.h"

#include <errno.h>
#include <sys/epoll.h>

#include "worker/close.h"
#include "worker/hot.h"
#include "worker/serve.h"

#define WAKE_BATCH 64

int
park_enroll(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);
	struct epoll_event ev = {
		.events = EPOLLONESHOT | (uint32_t)hot_events(c),
		.data.fd = fd,
	};
	int lot = w->slot->park_fd, op;

	/* POLLIN and POLLOUT have the values of EPOLLIN and EPOLLOUT. */
	_Static_assert((int)EPOLLIN == POLLIN && (int)EPOLLOUT == POLLOUT, "");
	op = (c->flags & CONN_ENROLLED) != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	/* After a death the flag may be ahead of the lot or behind it. */
	if (epoll_ctl(lot, op, fd, &ev) == -1 &&
	    (errno != ENOENT || epoll_ctl(lot, EPOLL_CTL_ADD, fd, &ev) == -1) &&
	    (errno != EEXIST || epoll_ctl(lot, EPOLL_CTL_MOD, fd, &ev) == -1))
		return -1;
	c->flags |= CONN_ENROLLED | CONN_PARKED;
	return 0;
}

void
park_forget(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if ((c->flags & CONN_ENROLLED) == 0)
		return;
	/* The flag first: parked but not enrolled is made hot by a
	 * successor, parked and not watched would be lost. */
	c->flags &= (uint8_t)~CONN_ENROLLED;
	publish();
	(void)epoll_ctl(w->slot->park_fd, EPOLL_CTL_DEL, fd, NULL);
}

void
park(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	/* An idle connection costs its record and no page of its own. */
	if ((c->flags & CONN_TOUCHED) != 0 && connection_pending(c) == 0) {
		c->flags &= (uint8_t)~(CONN_TOUCHED | CONN_SPILLED);
		publish();
		arena_release_window(w->arena, fd);
	}
	if (park_enroll(w, fd) == -1)
		w->quiet[c->hot] = 0;
	else
		hot_remove(w, fd);
}

int
unpark(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if (c->hot == CONNECTION_NOT_HOT && hot_add(w, fd) == -1) {
		close_connection(w, fd, CLOSE_ERROR, ENOMEM);
		return -1;
	}
	c->flags &= (uint8_t)~CONN_PARKED;
	return 0;
}

static bool
still_ours(const struct worker *w, int fd)
{
	return connection_held_by(worker_connection(w, fd)) ==
	    connection_holder(CONN_OPEN, w->number);
}

void
park_wake(struct worker *w)
{
	struct operation *op = &w->slot->op;
	struct epoll_event ev[WAKE_BATCH];
	int n;

	/* Events are taken once (EPOLLONESHOT): until every one of them is
	 * hot, a successor must look at the whole lot. */
	atomic_store_explicit(&op->kind, OP_WAKE, memory_order_relaxed);
	publish();
	n = epoll_wait(w->slot->park_fd, ev, WAKE_BATCH, 0);
	for (int i = 0; i < n; i++)
		if (!still_ours(w, ev[i].data.fd) ||
		    unpark(w, ev[i].data.fd) == -1)
			ev[i].events = 0;
	publish();
	atomic_store_explicit(&op->kind, OP_NONE, memory_order_relaxed);
	for (int i = 0; i < n; i++)
		if (ev[i].events != 0)
			serve(w, ev[i].data.fd, (short)ev[i].events);
}
