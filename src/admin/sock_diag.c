/* SPDX-License-Identifier: ISC */
/*
 * What the kernel says of sockets of other processes, sock_diag(7).
 *
 * One dump has all connections to our port.  They are kept in a hash table by
 * their cookies, which their records in the arena have, too.
 */
#include "admin/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "shared/connection.h"

/* A dump is good for so long, ms. */
#define DUMP_AGE 200
/* The kernel's tcp_states.h. */
#define STATE_LISTEN 10
#define STATES_OPEN (~(1U << STATE_LISTEN))
/* One part of a dump: the kernel fills up to 32 KiB. */
#define PART 32768
#define FIRST_SIZE 1024
/* More connections than there can be descriptors. */
#define MOST (1U << 21)

struct idle {
	uint64_t cookie; /* 0: free */
	uint64_t ms;
};

static struct {
	int fd;
	const struct view *view;
	uint32_t sequence;
	uint64_t looked, queues_at; /* clock_ms(); 0: never */
	struct idle *table;	    /* [size], a power of 2, or NULL */
	size_t size, used;
	struct {
		unsigned waiting, limit;
	} queue[ARENA_LISTENERS_MAX];
} state = { .fd = -1 };

void
sock_diag_begin(const struct view *v)
{
	static const struct timeval patience = { .tv_sec = 1 };

	state.view = v;
	state.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
	    NETLINK_SOCK_DIAG);
	if (state.fd != -1)
		(void)setsockopt(state.fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		    sizeof(patience));
}

static size_t
sock_diag_hash(uint64_t cookie)
{
	return (size_t)(cookie * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	    (state.size - 1);
}

static struct idle *
sock_diag_place(uint64_t cookie)
{
	size_t i = sock_diag_hash(cookie);

	while (state.table[i].cookie != 0 && state.table[i].cookie != cookie)
		i = (i + 1) & (state.size - 1);
	return &state.table[i];
}

/* Room for one more. */
static bool
sock_diag_grow(void)
{
	struct idle *old = state.table;
	size_t size = state.size;

	if (state.used * 2 < size)
		return true;
	if (size >= MOST)
		return false;
	state.size = size == 0 ? FIRST_SIZE : 2 * size;
	state.table = calloc(state.size, sizeof(*old));
	if (state.table == NULL) {
		state.table = old;
		state.size = size;
		return false;
	}
	for (size_t i = 0; i < size; i++)
		if (old[i].cookie != 0)
			*sock_diag_place(old[i].cookie) = old[i];
	free(old);
	return true;
}

static void
sock_diag_note(uint64_t cookie, uint64_t ms)
{
	struct idle *p;

	if (cookie == 0 || !sock_diag_grow())
		return;
	p = sock_diag_place(cookie);
	if (p->cookie == 0)
		state.used++;
	*p = (struct idle){ cookie, ms };
}

/* A connection: when its last byte went in or out. */
static void
sock_diag_note_idle(const struct inet_diag_msg *d, int len)
{
	const struct rtattr *a = (const void *)(d + 1);
	struct tcp_info info;
	uint64_t cookie = d->id.idiag_cookie[0] |
	    (uint64_t)d->id.idiag_cookie[1] << 32;

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type != INET_DIAG_INFO)
			continue;
		memset(&info, 0, sizeof(info));
		memcpy(&info, RTA_DATA(a),
		    RTA_PAYLOAD(a) < sizeof(info) ? RTA_PAYLOAD(a)
						  : sizeof(info));
		sock_diag_note(cookie,
		    info.tcpi_last_data_sent < info.tcpi_last_data_recv
			? info.tcpi_last_data_sent
			: info.tcpi_last_data_recv);
	}
}

/* A listener: known by its address. */
static void
sock_diag_note_queue(const struct inet_diag_msg *d)
{
	const struct service_state *s = state.view->service;
	char address[INET6_ADDRSTRLEN], name[LISTENER_NAME];
	size_t len;

	if (inet_ntop(d->idiag_family, d->id.idiag_src, address,
		sizeof(address)) == NULL)
		return;
	snprintf(name, sizeof(name),
	    d->idiag_family == AF_INET ? "%s:%u" : "[%s]:%u", address,
	    ntohs(d->id.idiag_sport));
	/* The name of a link-local one has its interface behind the address. */
	len = strcspn(name, "]");
	for (unsigned i = 0; i < s->listeners && i < ARENA_LISTENERS_MAX; i++)
		if (strcmp(s->listener[i].name, name) == 0 ||
		    (s->listener[i].name[len] == '%' &&
			strncmp(s->listener[i].name, name, len) == 0)) {
			state.queue[i].waiting = d->idiag_rqueue;
			state.queue[i].limit = d->idiag_wqueue;
		}
}

/* Returns false at the end. */
static bool
sock_diag_take(const struct nlmsghdr *h)
{
	const struct inet_diag_msg *d = NLMSG_DATA(h);

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*d)))
		return false;
	if (h->nlmsg_seq != state.sequence)
		return true; /* of a dump that was broken off */
	if (d->idiag_state == STATE_LISTEN)
		sock_diag_note_queue(d);
	else
		sock_diag_note_idle(d,
		    (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*d))));
	return true;
}

static void
sock_diag_dump_port(int family, uint32_t states, unsigned port)
{
	static union {
		struct nlmsghdr header;
		char room[PART];
	} part;
	const struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} ask = {
		.header = { .nlmsg_len = sizeof(ask),
		    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		    .nlmsg_seq = ++state.sequence },
		.request = { .sdiag_family = (uint8_t)family,
		    .sdiag_protocol = IPPROTO_TCP,
		    .idiag_ext = 1 << (INET_DIAG_INFO - 1),
		    .idiag_states = states,
		    .id.idiag_sport = htons((uint16_t)port) },
	};
	ssize_t n;

	if (send(state.fd, &ask, sizeof(ask), 0) != sizeof(ask))
		return;
	while ((n = recv(state.fd, &part, sizeof(part), 0)) > 0) {
		const struct nlmsghdr *h = &part.header;
		unsigned len = (unsigned)n;

		for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len))
			if (!sock_diag_take(h))
				return;
	}
}

/* Ask for the sockets of each port, once. */
static void
sock_diag_dump(int family, uint32_t states)
{
	const struct config *c = state.view->config;

	for (unsigned i = 0; i < c->services; i++) {
		bool asked = false;

		for (unsigned k = 0; k < i; k++)
			asked |= c->service[k].port == c->service[i].port;
		if (!asked)
			sock_diag_dump_port(family, states, c->service[i].port);
	}
}

void
sock_diag_look(void)
{
	if (state.fd == -1 ||
	    (state.looked != 0 && clock_ms() - state.looked < DUMP_AGE))
		return;
	free(state.table);
	state.table = NULL;
	state.size = state.used = 0;
	sock_diag_dump(AF_INET, STATES_OPEN);
	sock_diag_dump(AF_INET6, STATES_OPEN);
	state.looked = clock_ms();
}

bool
sock_diag_idle(uint64_t cookie, uint64_t *ms)
{
	const struct idle *p;

	if (state.table == NULL || cookie == 0)
		return false;
	p = sock_diag_place(cookie);
	*ms = p->ms + (clock_ms() - state.looked);
	return p->cookie != 0;
}

void
sock_diag_queue(unsigned i, unsigned *waiting, unsigned *limit)
{
	if (state.fd != -1 &&
	    (state.queues_at == 0 ||
		clock_ms() - state.queues_at >= DUMP_AGE)) {
		memset(state.queue, 0, sizeof(state.queue));
		sock_diag_dump(AF_INET, 1U << STATE_LISTEN);
		sock_diag_dump(AF_INET6, 1U << STATE_LISTEN);
		state.queues_at = clock_ms();
	}
	*waiting = *limit = 0;
	if (i >= ARENA_LISTENERS_MAX)
		return;
	*waiting = state.queue[i].waiting;
	*limit = state.queue[i].limit;
	if (*limit != 0)
		return;
	/* The kernel has not said: what the master has seen last. */
	*waiting = state.view->service->queue[i].waiting;
	*limit = state.view->service->queue[i].limit;
}
