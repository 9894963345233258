/*
 * The slot's epoll instance.
 *
 * Edge-triggered would save the kernel a look at each descriptor it has
 * reported; but then an event that died with a worker would be lost, and all of
 * a slot's connections would have to be looked through after a death.
 */
#include "worker/watch.h"

#include <errno.h>

#include "base/clock.h"
#include "base/signals.h"

/* Add, or change what is there already.  Flags of a record that tell which may
 * be behind by one death. */
static int
set(const struct worker *w, int op, int fd, uint32_t events, enum watched kind,
    uint32_t number)
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
drop(const struct worker *w, int fd)
{
	(void)epoll_ctl(w->slot->watch_fd, EPOLL_CTL_DEL, fd, NULL);
}

int
watch_init(struct worker *w)
{
	const struct arena_header *h = w->arena->header;

	for (unsigned i = 0; i < arena_open_listeners(w->arena); i++)
		drop(w, h->listener[i].fd);
	return set(w, EPOLL_CTL_ADD, w->slot->wake_fd, EPOLLIN, WATCHED_WAKE,
	    0);
}

void
watch_listen(struct worker *w, bool on)
{
	const struct arena_header *h = w->arena->header;

	for (unsigned i = 0; i < arena_listeners(w->arena); i++)
		if (!on || (w->shut & 1U << i) != 0)
			drop(w, h->listener[i].fd);
		else
			(void)set(w, EPOLL_CTL_ADD, h->listener[i].fd, EPOLLIN,
			    WATCHED_LISTENER, i);
	w->listening = on;
}

void
watch_shut(struct worker *w, unsigned i)
{
	w->shut |= 1U << i;
	drop(w, w->arena->header->listener[i].fd);
}

static bool
waits_to_send(const struct connection *c)
{
	return c->phase != PHASE_LINGERING && connection_unsent(c) > 0;
}

int
watch_add(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);
	bool out = waits_to_send(c);
	int op = (c->flags & CONN_ENROLLED) != 0 ? EPOLL_CTL_MOD :
	    EPOLL_CTL_ADD;

	/* CONN_WRITES while it may be watched for that: a successor sets
	 * right what a death leaves in between. */
	if (out)
		c->flags |= CONN_WRITES;
	publish();
	if (set(w, op, fd, out ? EPOLLOUT : EPOLLIN, WATCHED_CONNECTION,
	    (uint32_t)fd) == -1)
		return -1;
	publish();
	c->flags |= CONN_ENROLLED;
	if (!out)
		c->flags &= (uint8_t)~CONN_WRITES;
	return 0;
}

void
watch_update(struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);

	/* One that is not enrolled will be, with what it waits for then. */
	if ((c->flags & CONN_ENROLLED) != 0 &&
	    waits_to_send(c) != ((c->flags & CONN_WRITES) != 0))
		(void)watch_add(w, fd);
}

void
watch_forget(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if ((c->flags & CONN_ENROLLED) == 0)
		return;
	/* The flags first: watched and not enrolled is enrolled by a
	 * successor, enrolled and not watched would be lost. */
	c->flags &= (uint8_t)~(CONN_ENROLLED | CONN_WRITES);
	publish();
	drop(w, fd);
}

void
watch_disown(struct worker *w, int fd)
{
	drop(w, fd);
}

/* Milliseconds for epoll_wait(2). */
static int
left(uint64_t wake)
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
watch_wait(struct worker *w, uint64_t wake)
{
	return epoll_pwait(w->slot->watch_fd, w->event, WORKER_EVENTS,
	    left(wake), signals_open_mask());
}
