/* SPDX-License-Identifier: ISC */
/*
 * The slot's epoll instance.
 *
 * Edge-triggered would save the kernel a look at each descriptor it has
 * reported; but then an event that died with a worker would be lost, and all of
 * a slot's connections would have to be looked through after a death.
 */
#include "worker/events.h"

#include <errno.h>

#include "lib/clock.h"
#include "lib/signals.h"
#include "worker/connection/close.h"

/* When what failed for want of something is tried again, ms. */
#define AGAIN 100

/* Add, or change what is there already.  Flags of a record that tell which may
 * be behind by one death. */
static int
events_set(const struct worker *w, int op, int fd, uint32_t events,
    enum event_kind kind, uint32_t number)
{
	struct epoll_event ev = {
		.events = events,
		.data.u64 = (uint64_t)kind << 32 | number,
	};
	int other = op == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (epoll_ctl(w->slot->watch_fd, op, fd, &ev) == 0)
		return 0;
	if (errno != (op == EPOLL_CTL_ADD ? EEXIST : ENOENT))
		return -1;
	return epoll_ctl(w->slot->watch_fd, other, fd, &ev);
}

static void
events_drop(const struct worker *w, int fd)
{
	(void)epoll_ctl(w->slot->watch_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Returns true if it was said that it is tried again. */
static bool
events_is_shortage(struct worker *w, const char *what)
{
	unsigned missed;

	if (errno != ENOMEM && errno != ENOSPC)
		return false;
	if (log_rate_limit(&w->shortages, &missed))
		log_warn("epoll_ctl for %s: again in %d ms; %u more unlogged",
		    what, AGAIN, missed);
	return true;
}

/* Whom nobody can wake works all the same: what it is given, the giver takes
 * back. */
static int
events_wake(struct worker *w)
{
	if (events_set(w, EPOLL_CTL_MOD, w->slot->wake_fd, EPOLLIN, EVENT_WAKE,
		0) == 0)
		return 0;
	if (!events_is_shortage(w, "its wake-up"))
		return -1;
	w->enroll_at = clock_ms() + AGAIN;
	return 0;
}

static void
events_master(struct worker *w)
{
	int fd = w->master_pidfd;

	w->parent_at = CLOCK_NEVER;
	/* Where that cannot be, it is looked whose child we are. */
	if (fd == 0 ||
	    events_set(w, EPOLL_CTL_MOD, fd, EPOLLIN, EVENT_MASTER, 0) == -1)
		w->parent_at = clock_ms();
}

void
events_drop_master(struct worker *w)
{
	events_drop(w, w->master_pidfd);
}

int
events_init(struct worker *w)
{
	const struct arena_header *h = w->arena->header;

	for (unsigned i = 0; i < arena_open_listeners(w->arena); i++)
		events_drop(w, h->listener[i].fd);
	events_master(w);
	return events_wake(w);
}

void
events_listen(struct worker *w, bool on)
{
	const struct arena_header *h = w->arena->header;

	w->listeners = arena_listeners(w->arena);
	for (unsigned i = 0; i < w->listeners; i++)
		if (!on || (w->shut & 1U << i) != 0)
			events_drop(w, h->listener[i].fd);
		else if (events_set(w, EPOLL_CTL_ADD, h->listener[i].fd,
			     EPOLLIN, EVENT_LISTENER, i) == -1 &&
		    events_is_shortage(w, h->listener[i].name))
			w->accept_at = clock_ms() + AGAIN;
	w->listening = on;
}

void
events_shut(struct worker *w, unsigned i)
{
	w->shut |= 1U << i;
	events_drop(w, w->arena->header->listener[i].fd);
}

static bool
events_waits_to_send(const struct connection *c)
{
	return c->phase != PHASE_LINGERING && connection_unsent(c) > 0;
}

int
events_add(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);
	bool out = events_waits_to_send(c);
	int op = (c->flags & CONN_ENROLLED) != 0 ? EPOLL_CTL_MOD
						 : EPOLL_CTL_ADD;

	/* CONN_WRITES while it may be watched for that: a successor sets
	 * right what a death leaves in between. */
	if (out)
		c->flags |= CONN_WRITES;
	store_barrier();
	if (events_set(w, op, fd,
		out		     ? EPOLLOUT
		    : c->paused != 0 ? 0
				     : EPOLLIN,
		EVENT_CONNECTION, (uint32_t)fd) == -1) {
		if (!events_is_shortage(w, peer_name(&c->peer)))
			return -1;
		/* Watched for what it does not wait for, perhaps: as good as
		 * not enrolled, which a successor sees to, too. */
		c->flags &= (uint8_t)~CONN_ENROLLED;
		w->enroll_at = clock_ms() + AGAIN;
		return 0;
	}
	store_barrier();
	c->flags |= CONN_ENROLLED;
	if (!out)
		c->flags &= (uint8_t)~CONN_WRITES;
	return 0;
}

void
events_retry(struct worker *w)
{
	w->enroll_at = CLOCK_NEVER;
	(void)events_wake(w);
	for (int fd = arena_next(w->arena, w->number, 0);
	     fd != -1 && w->enroll_at == CLOCK_NEVER;
	     fd = arena_next(w->arena, w->number, fd + 1))
		if ((worker_connection(w, fd)->flags & CONN_ENROLLED) == 0 &&
		    events_add(w, fd) == -1)
			close_connection(w, fd, CLOSE_ERROR, errno);
}

void
events_update(struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);

	/* One that is not enrolled will be, with what it waits for then. */
	if ((c->flags & CONN_ENROLLED) != 0 &&
	    events_waits_to_send(c) != ((c->flags & CONN_WRITES) != 0))
		(void)events_add(w, fd);
}

void
events_forget(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if ((c->flags & CONN_ENROLLED) == 0)
		return;
	/* The flags first: watched and not enrolled is enrolled by a
	 * successor, enrolled and not watched would be lost. */
	c->flags &= (uint8_t) ~(CONN_ENROLLED | CONN_WRITES);
	store_barrier();
	events_drop(w, fd);
}

void
events_disown(struct worker *w, int fd)
{
	events_drop(w, fd);
}

/* Milliseconds for epoll_wait(2). */
static int
events_left(uint64_t wake)
{
	uint64_t now;

	if (wake == CLOCK_NEVER)
		return -1;
	now = clock_ms();
	if (wake <= now)
		return 0;
	return wake - now > INT_MAX ? INT_MAX : (int)(wake - now);
}

int
events_wait(struct worker *w, uint64_t wake)
{
	return epoll_pwait(w->slot->watch_fd, w->event, WORKER_EVENTS,
	    events_left(wake), signals_open_mask());
}
