/*
 * The parking lot: in by epoll_ctl(2), out by one event (EPOLLONESHOT).
 *
 * The epoll instance lives in the shared descriptor table, so a successor
 * inherits the lot as it is.  CONN_ENROLLED is stored before the kernel is
 * asked to add: if a death comes between, the successor's EPOLL_CTL_MOD fails
 * with ENOENT and it adds instead.
 */
#include "worker/park.h"

#include <errno.h>
#include <sys/epoll.h>

#include "worker/close.h"
#include "worker/hot.h"
#include "worker/serve.h"

#define WAKE_BATCH 64

static int
enroll(const struct worker *w, int fd, struct connection *c)
{
	struct epoll_event ev = {
		.events = EPOLLONESHOT | (uint32_t)hot_events(c),
		.data.fd = fd,
	};

	/* POLLIN and POLLOUT have the values of EPOLLIN and EPOLLOUT. */
	_Static_assert((int)EPOLLIN == POLLIN && (int)EPOLLOUT == POLLOUT, "");
	if ((c->flags & CONN_ENROLLED) != 0) {
		if (epoll_ctl(w->slot->park_fd, EPOLL_CTL_MOD, fd, &ev) == 0)
			return 0;
		if (errno != ENOENT)
			return -1;
	}
	c->flags |= CONN_ENROLLED;
	publish();
	if (epoll_ctl(w->slot->park_fd, EPOLL_CTL_ADD, fd, &ev) == 0)
		return 0;
	c->flags &= (uint8_t)~CONN_ENROLLED;
	return -1;
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
	if (enroll(w, fd, c) == -1) {
		w->quiet[c->hot] = 0;
		return;
	}
	c->flags |= CONN_PARKED;
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

void
park_wake(struct worker *w)
{
	struct epoll_event ev[WAKE_BATCH];
	int n = epoll_wait(w->slot->park_fd, ev, WAKE_BATCH, 0);

	for (int i = 0; i < n; i++) {
		int fd = ev[i].data.fd;
		struct connection *c = worker_connection(w, fd);

		if (atomic_load_explicit(&c->state, memory_order_relaxed) ==
		    CONN_OPEN && unpark(w, fd) == 0)
			serve(w, fd, (short)ev[i].events);
	}
}
