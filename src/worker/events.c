/* SPDX-License-Identifier: ISC */
/*
 * The slot's epoll instance.
 *
 * Edge-triggered watching would save the kernel a look at each descriptor that
 * it has reported.  But an event that died with a worker would be lost, and a
 * successor would have to look at all connections of the slot.
 */
#include "worker/events.h"

#include <errno.h>
#include <limits.h>

#include "lib/signals.h"

/* When a call that failed for want of memory is tried again, ms. */
#define RETRY_MS 100

void
events_init(struct events *e, const struct arena *a,
    const struct worker_place *place, struct timers *timers)
{
	*e = (struct events){
		.arena = a,
		.slot = &a->slot[place->slot],
		.timers = timers,
	};
}

/* Add an entry, or change it if it is there.  `op` is the likelier one: the
 * flags of a record may be behind by one death. */
static int
events_set(const struct events *e, int op, int fd, uint32_t events,
    enum event_kind kind, uint32_t number)
{
	struct epoll_event ev = {
		.events = events,
		.data.u64 = (uint64_t)kind << 32 | number,
	};
	int other = op == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (epoll_ctl(e->slot->watch_fd, op, fd, &ev) == 0)
		return 0;
	if (errno != (op == EPOLL_CTL_ADD ? EEXIST : ENOENT))
		return -1;
	return epoll_ctl(e->slot->watch_fd, other, fd, &ev);
}

static void
events_drop(const struct events *e, int fd)
{
	(void)epoll_ctl(e->slot->watch_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* If errno says that the kernel is short of memory, log that and set the timer
 * `retry`.  Returns false if it says something else. */
static bool
events_is_shortage(struct events *e, const char *what, enum worker_timer retry)
{
	unsigned missed;

	if (errno != ENOMEM && errno != ENOSPC)
		return false;
	if (log_rate_limit(&e->shortages, &missed))
		log_warn("epoll_ctl for %s: again in %d ms; %u more unlogged",
		    what, RETRY_MS, missed);
	timer_set(e->timers, retry, clock_ms() + RETRY_MS);
	return true;
}

/* A worker that cannot be woken still works: offers to it are withdrawn. */
int
events_watch_wake(struct events *e)
{
	if (events_set(e, EPOLL_CTL_MOD, e->slot->wake_fd, EPOLLIN, EVENT_WAKE,
		0) == 0)
		return 0;
	return events_is_shortage(e, "its wake-up", TIMER_ENROLL) ? 0 : -1;
}

bool
events_watch_master(struct events *e, int pidfd)
{
	return pidfd != 0 &&
	    events_set(e, EPOLL_CTL_MOD, pidfd, EPOLLIN | EPOLLONESHOT,
		EVENT_MASTER, 0) == 0;
}

int
events_begin(struct events *e)
{
	const struct arena_header *h = e->arena->header;

	for (unsigned i = 0; i < arena_open_listeners(e->arena); i++)
		events_drop(e, h->listener[i].fd);
	return events_watch_wake(e);
}

void
events_listen(struct events *e, bool on)
{
	const struct arena_header *h = e->arena->header;

	e->listeners = arena_listeners(e->arena);
	for (unsigned i = 0; i < e->listeners; i++)
		if (!on || events_is_shut(e, i))
			events_drop(e, h->listener[i].fd);
		else if (events_set(e, EPOLL_CTL_ADD, h->listener[i].fd,
			     EPOLLIN, EVENT_LISTENER, i) == -1)
			(void)events_is_shortage(e, h->listener[i].name,
			    TIMER_ACCEPT);
	e->listening = on;
}

void
events_rest(struct events *e, unsigned i)
{
	events_drop(e, e->arena->header->listener[i].fd);
}

bool
events_has_new_listener(const struct events *e)
{
	return arena_listeners(e->arena) != e->listeners;
}

void
events_shut(struct events *e, unsigned i)
{
	e->shut |= UINT64_C(1) << i;
	events_drop(e, e->arena->header->listener[i].fd);
}

static bool
events_waits_to_send(const struct connection *c)
{
	return c->phase != PHASE_LINGERING && connection_unsent(c) > 0;
}

int
events_add(struct events *e, int fd)
{
	struct connection *c = &e->arena->connection[fd];
	bool out = events_waits_to_send(c);
	int op = (c->flags & CONN_ENROLLED) != 0 ? EPOLL_CTL_MOD
						 : EPOLL_CTL_ADD;

	/* CONN_WRITES is set as long as the entry may be for EPOLLOUT: a
	 * successor corrects the entry after a death in between. */
	if (out)
		c->flags |= CONN_WRITES;
	store_barrier();
	if (events_set(e, op, fd,
		out		     ? EPOLLOUT
		    : c->paused != 0 ? 0
				     : EPOLLIN,
		EVENT_CONNECTION, (uint32_t)fd) == -1) {
		if (!events_is_shortage(e, peer_name(&c->peer), TIMER_ENROLL))
			return -1;
		/* The entry may be there with the wrong events.  That is as
		 * good as not enrolled, which a successor repairs, too. */
		c->flags &= (uint8_t)~CONN_ENROLLED;
		return 0;
	}
	store_barrier();
	c->flags |= CONN_ENROLLED;
	if (!out)
		c->flags &= (uint8_t)~CONN_WRITES;
	return 0;
}

void
events_update(struct events *e, int fd)
{
	const struct connection *c = &e->arena->connection[fd];

	/* A connection that is not enrolled is enrolled at TIMER_ENROLL, with
	 * what it waits for then. */
	if ((c->flags & CONN_ENROLLED) != 0 &&
	    events_waits_to_send(c) != ((c->flags & CONN_WRITES) != 0))
		(void)events_add(e, fd);
}

void
events_forget(struct events *e, int fd)
{
	struct connection *c = &e->arena->connection[fd];

	if ((c->flags & CONN_ENROLLED) == 0)
		return;
	/* The flags first.  A successor enrolls a connection that is watched
	 * and not enrolled; it would lose one that is enrolled and not
	 * watched. */
	c->flags &= (uint8_t) ~(CONN_ENROLLED | CONN_WRITES);
	store_barrier();
	events_drop(e, fd);
}

void
events_disown(struct events *e, int fd)
{
	events_drop(e, fd);
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
events_wait(struct events *e, uint64_t wake)
{
	return epoll_pwait(e->slot->watch_fd, e->event, EVENTS_MAX,
	    events_left(wake), signals_open_mask());
}
