/* SPDX-License-Identifier: ISC */
/*
 * Accepting new clients; accept4(2) for clients is only here.
 */
#include "worker/connection/accept.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler/handler.h"
#include "lib/clock.h"
#include "worker/balance/handoff.h"
#include "worker/connection/admission.h"
#include "worker/connection/close.h"
#include "worker/connection/counting.h"
#include "worker/connection/header.h"
#include "worker/connection/rate.h"
#include "worker/connection/serve.h"
#include "worker/connection/tcp_info.h"

/* Clients accepted in a row before the connections have their turn. */
#define BATCH 16
/* How long accepting rests after a shortage of descriptors or memory, ms. */
#define PAUSE 100
/* How long a worker waits for its turn to count a client, ms. */
#define ADMISSION_PATIENCE 2

static const char refusal[] = "-ERR max number of clients reached\r\n";

/*
 * Reserve one of the `maxclients` places.  Returns the slot that gets the
 * client, the one that holds the fewest; or -1 if all places are taken.
 *
 * Workers count and reserve one at a time, so that two clients never get the
 * last place.  If a worker dies or is stopped in between, the others wait for
 * ADMISSION_PATIENCE at most; then one of them takes its turn.  One client too
 * many is better than none.
 */
static int
accept_admit(struct worker *w)
{
	_Atomic uint32_t *admission = &w->arena->header->admission;
	uint32_t mine = w->number + 1;
	uint64_t until = 0;
	int to = -1;

	for (;;) {
		uint32_t seen = 0;
		uint64_t now;

		if (atomic_compare_exchange_strong(admission, &seen, mine) ||
		    seen == mine)
			break;
		now = clock_ms();
		if (until == 0)
			until = now + ADMISSION_PATIENCE;
		else if (now >= until &&
		    atomic_compare_exchange_strong(admission, &seen, mine))
			break;
		sched_yield();
	}
	if (arena_held(w->arena) < w->config->defaults.maxclients) {
		to = (int)(w->draining ? w->number
				       : siblings_place(&w->siblings));
		atomic_fetch_add(to == (int)w->number
			? &w->slot->held
			: &w->arena->slot[to].inflight,
		    1);
	}
	/* Release our own turn only: another worker may have lost patience. */
	atomic_compare_exchange_strong(admission, &mine, 0);
	if (to == -1)
		siblings_wake_reserved(&w->siblings);
	return to;
}

void
accept_note(const struct arena *a, int fd)
{
	uint32_t end = atomic_load(&a->header->descriptor_end);

	while (end <= (uint32_t)fd &&
	    !atomic_compare_exchange_weak(&a->header->descriptor_end, &end,
		(uint32_t)fd + 1))
		;
}

/*
 * Claim the record of a descriptor just accepted.  The record is FREE, or still
 * CLOSING by the worker that closed the number's former socket.  Returns false
 * if a worker that recovers from a death found the socket first
 * (lost_sockets.c): that worker has served the client, and may have closed it.
 */
static bool
accept_claim(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);
	uint64_t cookie;
	uint32_t word;

	/* First of all: recovery does not search beyond the end. */
	accept_note(w->arena, fd);
	do {
		word = connection_word(c);
		cookie = tcp_info_cookie(fd);
		if ((cookie == 0 && errno == EBADF) ||
		    !connection_vacant(c, word, cookie))
			return false;
	} while (!connection_claim(c, word, w->number));
	slices_mark(&w->slices, fd);
	c->cookie = cookie;
	return true;
}

/* Refuse a client.  Its input is read first: closing a socket with unread input
 * resets the connection, and the client would not see the reason. */
static void
accept_refuse(struct worker *w, int fd, const struct peer *peer, unsigned entry,
    enum close_reason reason, const char *why)
{
	struct connection c = { .peer = *peer, .opened = clock_ms() };
	ssize_t n;

	/* A denied client gets no reason. */
	n = reason == CLOSE_DENIED ? 0
				   : send(fd, refusal, sizeof(refusal) - 1,
					 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		c.tx = (uint64_t)n;
	c.half[0].entry = entry;
	(void)shutdown(fd, SHUT_WR);
	(void)!recv(fd, w->scratch, SCRATCH_BYTES, MSG_DONTWAIT);
	close_account(w, &c, reason, 0);
	if ((uint32_t)fd < arena_descriptors(w->arena))
		close_descriptor(w, fd);
	else
		close(fd);
	admission_report(w, worker_client_name(w, &c), why, "");
}

/* The connection begins with the handler of entry `entry`, and no step has been
 * made: both states are zero. */
static void
accept_begin_handler(const struct worker *w, int fd, unsigned entry)
{
	size_t size = w->handler[entry].h->state_size;

	worker_connection(w, fd)->half[0].entry = entry;
	memset(arena_state(w->arena, fd, 0, size), 0, size);
	memset(arena_state(w->arena, fd, 1, size), 0, size);
}

void
accept_enter(struct worker *w, int fd, const struct peer *peer, unsigned entry,
    unsigned to, bool charged)
{
	struct connection *c = worker_connection(w, fd);
	char *fields = (char *)c;
	size_t word = offsetof(struct connection, owner);
	uint64_t cookie = c->cookie;

	/* All fields but the owner word and the cookie of the socket. */
	memset(fields, 0, word);
	memset(fields + word + sizeof(c->owner), 0,
	    sizeof(*c) - word - sizeof(c->owner));
	c->cookie = cookie;
	c->peer = *peer;
	c->opened = clock_ms();
	c->idle_since = (uint32_t)(c->opened / 100);
	accept_begin_handler(w, fd, entry);
	if (charged)
		c->flags |= CONN_CHARGED;
	if (admission_expects_header(w->handler[entry].service, peer))
		c->flags |= CONN_HEADER;
	c->active = CONNECTION_INACTIVE;
	counting_begin(w, fd, CONN_CLAIMED, CLOSE_EOF);
	counter_add(&worker_count(w, c)->accepted, 1);
	if (log_wants(LOG_LEVEL_VERBOSE))
		log_verbose("%s accepted", worker_client_name(w, c));
	w->changed = true;
	if (to != w->number) {
		handoff_offer(w, fd, to);
		counting_end(w);
		siblings_notify(&w->siblings, to);
		return;
	}
	header_expect(w, c);
	connection_set(c, owner_word(CONN_OPEN, to));
	counting_end(w);
	if (close_unless_watched(w, fd))
		(void)active_touch(&w->active, fd);
}

/* CLOSING is about the socket that the cookie of the record names. */
static void
accept_mark_closing(const struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	c->flags = 0;
	store_barrier();
	connection_set(c, owner_word(CONN_CLOSING, w->number));
}

/* Refuse a client whose record is not in use. */
static void
accept_turn_away(struct worker *w, int fd, const struct peer *peer,
    unsigned entry, enum close_reason reason, const char *why)
{
	if (accept_claim(w, fd)) {
		accept_mark_closing(w, fd);
		accept_refuse(w, fd, peer, entry, reason, why);
	}
}

/* Release the place that was reserved for a client. */
static void
accept_release_place(struct worker *w, unsigned to)
{
	if (to == w->number)
		atomic_fetch_sub(&w->slot->held, 1);
	else
		siblings_unreserve(&w->siblings, to);
}

/* A client was accepted.  Returns true if it has become a connection, false if
 * it was refused.  `charged`: a connection counts for accept-rate. */
static bool
accept_receive(struct worker *w, int fd, const struct peer *peer,
    unsigned entry, bool charged)
{
	const char *why;
	char full[64];
	int to;

	/* A descriptor beyond the arena: the limit was raised from outside. */
	if ((uint32_t)fd >= arena_descriptors(w->arena)) {
		accept_refuse(w, fd, peer, entry, CLOSE_LIMIT,
		    "its descriptor is too high");
		return false;
	}
	if ((why = admission_denies(w->handler[entry].service, peer)) != NULL) {
		accept_turn_away(w, fd, peer, entry, CLOSE_DENIED, why);
		return false;
	}
	if ((to = accept_admit(w)) == -1) {
		snprintf(full, sizeof(full), "maxclients %u reached",
		    w->config->defaults.maxclients);
		accept_turn_away(w, fd, peer, entry, CLOSE_LIMIT, full);
		return false;
	}
	if (!accept_claim(w, fd)) {
		accept_release_place(w, (unsigned)to);
		return false;
	}
	if ((why = admission_crowds(w, fd, peer, entry, true)) != NULL) {
		accept_release_place(w, (unsigned)to);
		accept_mark_closing(w, fd);
		accept_refuse(w, fd, peer, entry, CLOSE_LIMIT, why);
		return false;
	}
	accept_enter(w, fd, peer, entry, (unsigned)to, charged);
	return true;
}

/* What a failed accept4(2) means.  `last`: all calls of the batch failed, and
 * this was the last one. */
static enum accepted
accept_failed(struct worker *w, unsigned i, bool last)
{
	unsigned missed;

	switch (errno) {
	case EAGAIN:
		return ACCEPT_EMPTY;
	/* The client has gone again, or the network reports an error for it
	 * (accept(2), "Error handling"). */
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
		if (!last)
			return ACCEPT_MORE;
		break; /* only errors: they may not end */
	case EINVAL:   /* shut down by a worker that drained first */
		if (i >= w->arena->header->listeners ||
		    arena_stop_deadline(w->arena) != 0)
			return ACCEPT_EMPTY;
		break;
	default: /* EMFILE, ENFILE, ENOBUFS, ENOMEM; EPERM of a
		  * security module */
		break;
	}
	if (log_rate_limit(&w->shortages, &missed))
		log_warn("accept on %s: resting for %d ms",
		    arena_listener(w->arena, i).name, PAUSE);
	timer_set(&w->timers, TIMER_ACCEPT, clock_ms() + PAUSE);
	return ACCEPT_PAUSED;
}

/* `throttled`: no more clients than accept-rate permits.  A client that is
 * refused, or that had gone before it was accepted, does not count. */
static enum accepted
accept_take_batch(struct worker *w, unsigned i, bool throttled)
{
	struct operation *op = &w->slot->op;
	int listener = w->arena->header->listener[i].fd;
	unsigned entry = worker_listener_entry(w, i);
	struct sockaddr_storage ss;
	socklen_t len;
	struct peer peer;
	enum accepted result = ACCEPT_MORE;
	unsigned failures = 0;

	for (unsigned n = 0; n < BATCH && result == ACCEPT_MORE; n++) {
		unsigned wait = throttled ? rate_wait(w, entry) : 0;
		bool charged, received = false;
		int fd;

		/* A client that cannot be watched is not accepted. */
		if (timer_is_set(&w->timers, TIMER_ENROLL)) {
			timer_set(&w->timers, TIMER_ACCEPT,
			    w->timers.at[TIMER_ENROLL]);
			return ACCEPT_PAUSED;
		}
		if (wait > 0) {
			timer_sooner(&w->timers, TIMER_ACCEPT,
			    clock_ms() + wait);
			return ACCEPT_LIMITED;
		}
		atomic_store_explicit(&op->kind, OP_ACCEPT,
		    memory_order_relaxed);
		store_barrier();
		len = sizeof(ss);
		ss.ss_family = AF_UNSPEC;
		/* Not close-on-exec: connections outlive the program too. */
		fd = accept4(listener, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK);
		if (fd == -1)
			result = accept_failed(w, i, ++failures == BATCH);
		else {
			w->moved++;
			if (i >= arena_listeners(w->arena))
				tcp_info_hear(fd);
			charged = throttled &&
			    w->handler[entry].service->accept_rate != 0 &&
			    !tcp_info_has_left(fd);
			peer_from_sockaddr(&peer, &ss);
			received = accept_receive(w, fd, &peer, entry, charged);
			if (received && charged)
				rate_take(w, entry);
		}
		store_barrier();
		atomic_store_explicit(&op->kind, OP_NONE, memory_order_relaxed);
		/* A handler may speak first. */
		if (received &&
		    connection_owner(worker_connection(w, fd)) ==
			owner_word(CONN_OPEN, w->number))
			serve_resume(w, fd);
	}
	return result;
}

enum accepted
accept_some(struct worker *w, unsigned i)
{
	return accept_take_batch(w, i, true);
}

bool
accept_queue(struct worker *w, unsigned i, bool shut)
{
	enum accepted a = ACCEPT_MORE;

	/* Bounded: clients may come as fast as they are accepted. */
	for (unsigned n = 0;
	     a == ACCEPT_MORE && n < w->config->defaults.maxclients; n++)
		a = accept_take_batch(w, i, false);
	if (a == ACCEPT_PAUSED)
		return false;
	/* A listener that systemd passed is used again after us. */
	if (shut &&
	    (w->arena->header->listener[i].flags & LISTENER_PASSED) == 0)
		(void)shutdown(w->arena->header->listener[i].fd, SHUT_RD);
	return true;
}
