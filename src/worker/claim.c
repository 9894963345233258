/*
 * Claiming the record of a number for the client's socket it stands for.
 */
#include "worker/claim.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "worker/edge.h"
#include "worker/kernel.h"

/* From now on searches through the records reach `fd`. */
static void
note(const struct arena *a, int fd)
{
	uint32_t end = atomic_load(&a->header->descriptor_end);

	while (end <= (uint32_t)fd && !atomic_compare_exchange_weak(
	    &a->header->descriptor_end, &end, (uint32_t)fd + 1))
		;
}

static uint16_t
local_port(int fd)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return 0;
	if (ss.ss_family == AF_INET)
		return ((struct sockaddr_in *)&ss)->sin_port;
	if (ss.ss_family == AF_INET6)
		return ((struct sockaddr_in6 *)&ss)->sin6_port;
	return 0;
}

static bool
is_client(const struct worker *w, int fd)
{
	const struct arena_header *h = w->arena->header;
	int listening = 1;
	socklen_t len = sizeof(listening);
	uint16_t port;

	/* One that a drain has shut no longer says that it is one. */
	for (unsigned i = 0; i < h->listeners + h->dropped; i++)
		if (fd == h->listener[i].fd)
			return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) ==
	    -1 || listening != 0)
		return false;
	port = local_port(fd);
	for (unsigned i = 0; i < h->listeners + h->dropped; i++)
		if (port != 0 && port == local_port(h->listener[i].fd))
			return true;
	return false;
}

/* True if the record, which says `h`, does not speak of `fd`'s socket. */
static bool
is_unrecorded(const struct connection *c, int fd, uint32_t h)
{
	/* CLOSING: the number may be in use again already, or its socket is
	 * the one that is being closed. */
	return holder_state(h) == CONN_FREE ||
	    (holder_state(h) == CONN_CLOSING &&
	    kernel_cookie(fd) != c->cookie);
}

bool
claim_is_due(const struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);

	return is_unrecorded(c, fd, connection_held_by(c)) && is_client(w, fd);
}

/* The record is ours to fill in no longer: it says `h`. */
static void
let_go(const struct worker *w, int fd, uint32_t h)
{
	atomic_store(&worker_connection(w, fd)->holder, h);
}

/*
 * The record, which said `before`, is ours to fill in; is there a socket for
 * it?  Not if we stood still for long before: it may have been entered by a
 * successor of somebody else, served, and be closed by now, or about to be, in
 * which case that worker says CLOSING as one did for the number's former
 * socket.
 */
static bool
confirm(const struct worker *w, int fd, uint32_t before)
{
	const struct connection *c = worker_connection(w, fd);

	/* First: what is not being closed now will not be. */
	if (holder_state(before) == CONN_CLOSING &&
	    kernel_cookie(fd) == c->cookie) {
		let_go(w, fd, before);
		return false;
	}
	if (!is_client(w, fd)) {
		edge_uncount(w, fd);
		let_go(w, fd, connection_holder(CONN_FREE, 0));
		return false;
	}
	return true;
}

bool
claim(const struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);
	uint32_t taking = connection_holder(CONN_TAKING, w->number);

	/* First of all: a record beyond the end is not searched. */
	note(w->arena, fd);
	do {
		uint32_t before = connection_held_by(c);

		if (!is_unrecorded(c, fd, before))
			return false;
		/* Fails if who closed the number's former socket says FREE
		 * now: look again. */
		if (atomic_compare_exchange_strong(&c->holder, &before,
		    taking) && confirm(w, fd, before))
			return true;
		/* Who accepted a socket while the record was ours has let go
		 * of it: look again. */
	} while (is_client(w, fd));
	return false;
}

bool
claim_inherit(const struct worker *w, int fd)
{
	atomic_store(&worker_connection(w, fd)->holder,
	    connection_holder(CONN_TAKING, w->number));
	return confirm(w, fd, connection_holder(CONN_TAKING, w->number)) ||
	    (is_client(w, fd) && claim(w, fd));
}
