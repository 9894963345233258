/* SPDX-License-Identifier: ISC */
/*
 * Clients of the HTTP library, until they have asked.
 *
 * The library waits for the rest of a request in one of a few places, by events
 * that come once, and its patience begins anew with each byte.  So a client
 * waits here: for all of its request, in one limit of time, few to an address,
 * and the one that has waited longest makes room.  The library gets those that
 * can be answered at once.
 *
 *	accept --> ASKING --> ANSWERED --> closed by the library
 *	              |           |
 *	              +-----------+--> dropped: its time is over, its place is
 *	                               needed, or it has gone
 */
#include "admin/http_clients.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "admin/accept.h"
#include "config/config.h"
#include "lib/clock.h"
#include "lib/log.h"

#define CLIENTS CONFIG_METRICS_CLIENTS
/* Places that only clients of this machine may have. */
#define KEPT 4
/* Places that one address may have; this machine has no such limit. */
#define PER_ADDRESS 8
/* From accept to the end of the request, and of the answer, ms. */
#define ASKING_MS 5000
#define TOTAL_MS 10000
/* A longer request is the library's to refuse. */
#define REQUEST_BYTES 8192
/* Events looked at in one step, and new clients. */
#define BATCH 16
#define NEW 64

enum http_phase {
	HTTP_NOBODY,
	HTTP_ASKING,
	HTTP_ANSWERED
};

struct http_client {
	enum http_phase phase;
	bool known; /* http_clients_find() has found it */
	bool local; /* of this machine */
	int fd;
	uint64_t since, expires; /* clock_ms() */
	uint64_t address;	 /* one of the Internet has one of it */
	struct sockaddr_storage peer;
	socklen_t len;
};

static struct {
	int listener, epoll;
	const struct http_library *library;
	struct http_client client[CLIENTS];
} state = { .listener = -1, .epoll = -1 };

static int
http_clients_add(int fd, uint32_t events, uint32_t index)
{
	struct epoll_event e = { .events = events, .data.u32 = index };

	return epoll_ctl(state.epoll, EPOLL_CTL_ADD, fd, &e);
}

int
http_clients_open(int listener, const struct http_library *library)
{
	state.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (state.epoll == -1)
		return -1;
	state.listener = listener;
	state.library = library;
	return http_clients_add(state.listener, EPOLLIN, CLIENTS);
}

int
http_clients_also(int extra)
{
	return http_clients_add(extra, EPOLLIN, CLIENTS + 1);
}

static void
http_clients_drop(struct http_client *c)
{
	if (c->phase == HTTP_ASKING) {
		close(c->fd);
		c->phase = HTTP_NOBODY;
		return;
	}
	/* The library has it, and sees that there is nobody any more. */
	(void)shutdown(c->fd, SHUT_RDWR);
	state.library->run();
}

void
http_clients_finish(void)
{
	if (state.listener != -1)
		(void)epoll_ctl(state.epoll, EPOLL_CTL_DEL, state.listener,
		    NULL);
	state.listener = -1;
}

bool
http_clients_are_gone(void)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (state.client[i].phase != HTTP_NOBODY)
			return false;
	return true;
}

int
http_clients_watch(void)
{
	return state.epoll;
}

/* An address of IPv4, also if it is spelt as one of IPv6, or a network of
 * 2^64 addresses, which is what one customer has. */
static void
http_clients_identify(struct http_client *c)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr_in *in = (const void *)&c->peer;
	const struct sockaddr_in6 *in6 = (const void *)&c->peer;
	uint32_t four = 0;

	c->address = 0;
	if (c->peer.ss_family == AF_INET)
		four = in->sin_addr.s_addr;
	else if (memcmp(&in6->sin6_addr, mapped, sizeof(mapped)) == 0)
		memcpy(&four, &in6->sin6_addr.s6_addr[12], sizeof(four));
	else
		memcpy(&c->address, &in6->sin6_addr, sizeof(c->address));
	c->local = four != 0 ? ntohl(four) >> 24 == IN_LOOPBACKNET
			     : IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	if (c->local)
		c->address = 0;
	else if (four != 0)
		c->address = (uint64_t)four << 32 | 0xffff;
}

static unsigned
http_clients_count(uint64_t address)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS; i++)
		n += state.client[i].phase != HTTP_NOBODY &&
		    state.client[i].address == address;
	return n;
}

/* Whether `b` is rather to go than `a`. */
static bool
http_clients_yields(const struct http_client *b, const struct http_client *a)
{
	unsigned many = http_clients_count(a->address);
	unsigned more = http_clients_count(b->address);

	if (more != many)
		return more > many;
	if (a->phase != b->phase)
		return b->phase == HTTP_ASKING;
	return b->since < a->since;
}

/* Drop the client that has waited longest, of the address that has most; only
 * of `address` if it is not NULL, only others than of this machine if
 * `foreign`. */
static void
http_clients_make_room(const uint64_t *address, bool foreign)
{
	struct http_client *out = NULL;

	for (unsigned i = 0; i < CLIENTS; i++) {
		struct http_client *c = &state.client[i];

		if (c->phase == HTTP_NOBODY || (foreign && c->local) ||
		    (address != NULL && c->address != *address))
			continue;
		if (out == NULL || http_clients_yields(c, out))
			out = c;
	}
	if (out != NULL)
		http_clients_drop(out);
}

static struct http_client *
http_clients_place(const struct http_client *new)
{
	unsigned here = http_clients_count(0), all = 0;

	for (unsigned i = 0; i < CLIENTS; i++)
		all += state.client[i].phase != HTTP_NOBODY;
	if (!new->local && http_clients_count(new->address) >= PER_ADDRESS)
		http_clients_make_room(&new->address, true);
	else if (!new->local && all - here >= CLIENTS - KEPT)
		http_clients_make_room(NULL, true);
	else if (all == CLIENTS)
		http_clients_make_room(NULL, false);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (state.client[i].phase == HTTP_NOBODY)
			return &state.client[i];
	return NULL;
}

/* Whether the request is there, but for a body: an empty line ends it. */
static bool
http_clients_is_whole(const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	while (p < end && (*p == '\r' || *p == '\n'))
		p++;
	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		if (p < end && *p == '\r')
			p++;
		if (p < end && *p == '\n')
			return true;
	}
	return len == REQUEST_BYTES;
}

/* Look whether the client has asked; `gone`: nothing more will come. */
static void
http_clients_look(struct http_client *c, bool gone)
{
	static char text[REQUEST_BYTES];
	ssize_t n = recv(c->fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR) && !gone)
		return;
	if (n <= 0 || (!http_clients_is_whole(text, (size_t)n) && gone)) {
		http_clients_drop(c);
		return;
	}
	if (!http_clients_is_whole(text, (size_t)n))
		return;
	(void)epoll_ctl(state.epoll, EPOLL_CTL_DEL, c->fd, NULL);
	c->phase = HTTP_ANSWERED;
	c->known = false;
	c->expires = c->since + TOTAL_MS;
	state.library->answer(c, c->fd, (struct sockaddr *)&c->peer, c->len);
}

static void
http_clients_receive(void)
{
	for (unsigned n = 0; n < NEW && state.listener != -1; n++) {
		static struct log_rate_limit backoff;
		unsigned missed;
		struct http_client new = { .phase = HTTP_ASKING }, *c;

		new.len = sizeof(new.peer);
		new.fd = accept_client(state.listener,
		    (struct sockaddr *)&new.peer, &new.len);
		if (new.fd == -1) {
			if (errno != EAGAIN && errno != ECONNABORTED &&
			    log_rate_limit(&backoff, &missed))
				log_warn("accept on the metrics port");
			return;
		}
		new.since = clock_ms();
		new.expires = new.since + ASKING_MS;
		http_clients_identify(&new);
		c = http_clients_place(&new);
		if (c == NULL ||
		    http_clients_add(new.fd, EPOLLIN | EPOLLRDHUP | EPOLLET,
			(uint32_t)(c - state.client)) == -1)
			close(new.fd);
		else
			*c = new;
	}
}

static void
http_clients_expire(void)
{
	uint64_t now = clock_ms();

	for (unsigned i = 0; i < CLIENTS; i++) {
		struct http_client *c = &state.client[i];

		if (c->phase == HTTP_NOBODY || now < c->expires)
			continue;
		/* Once is enough; the library may need another moment. */
		c->expires = CLOCK_NEVER;
		http_clients_drop(c);
	}
}

void
http_clients_step(void)
{
	struct epoll_event event[BATCH];
	int n;

	if (state.epoll == -1)
		return;
	n = epoll_wait(state.epoll, event, BATCH, 0);
	for (int i = 0; i < n; i++) {
		uint32_t number = event[i].data.u32;

		if (number == CLIENTS)
			http_clients_receive();
		/* Gone by an event before, or the library's instance. */
		else if (number < CLIENTS &&
		    state.client[number].phase == HTTP_ASKING)
			http_clients_look(&state.client[number],
			    (event[i].events & ~(uint32_t)EPOLLIN) != 0);
	}
	http_clients_expire();
}

uint64_t
http_clients_next(void)
{
	uint64_t next = CLOCK_NEVER;

	for (unsigned i = 0; i < CLIENTS; i++)
		if (state.client[i].phase != HTTP_NOBODY)
			next = clock_earlier(next, state.client[i].expires);
	return next;
}

struct http_client *
http_clients_find(int fd)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct http_client *c = &state.client[i];

		if (c->phase == HTTP_ANSWERED && !c->known && c->fd == fd) {
			c->known = true;
			return c;
		}
	}
	return NULL;
}

void
http_clients_left(struct http_client *c)
{
	c->phase = HTTP_NOBODY;
}

unsigned
http_clients_answering(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS; i++)
		n += state.client[i].phase == HTTP_ANSWERED;
	return n;
}
