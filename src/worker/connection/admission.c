/* SPDX-License-Identifier: ISC */
/*
 * Access control: the rules, and counting by address.
 */
#include "worker/connection/admission.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <wchar.h>

#include "worker/connection/proxy.h"
#include "worker/connection/rate.h"

bool
admission_allows(const struct service_config *c, const struct peer *peer)
{
	if (networks_contain(&c->deny, peer->family, peer->address))
		return false;
	return c->allow.count == 0 ||
	    networks_contain(&c->allow, peer->family, peer->address);
}

bool
admission_is_balancer(const struct service_config *c, const struct peer *peer)
{
	return networks_contain(&c->proxy_trusted, peer->family, peer->address);
}

static bool
admission_is_trusted(const struct service_config *c, const struct peer *peer)
{
	return c->proxy_trusted.count == 0 || admission_is_balancer(c, peer);
}

bool
admission_expects_header(const struct service_config *c,
    const struct peer *peer)
{
	return c->proxy_protocol != PROXY_PROTOCOL_OFF &&
	    admission_is_trusted(c, peer);
}

const char *
admission_denies(const struct service_config *c, const struct peer *peer)
{
	bool allowed;

	if (!admission_expects_header(c, peer)) {
		if (c->proxy_protocol == PROXY_PROTOCOL_ON)
			return "not in proxy-trusted";
		allowed = admission_allows(c, peer);
	} else
		allowed = c->proxy_protocol == PROXY_PROTOCOL_ON ||
		    admission_is_balancer(c, peer) ||
		    !networks_contain(&c->deny, peer->family, peer->address);
	return allowed ? NULL : "its address is not allowed";
}

/* Bytes of an address that identify a client: all of an IPv4 address, the /64
 * of an IPv6 address, the least that one site has (RFC 6177). */
static size_t
admission_significant(const struct peer *peer)
{
	return peer->family == AF_INET ? 4 : 8;
}

/*
 * A number for an address that no client can choose: the significant bytes and
 * the arena's secret, mixed by the finalizer of SplitMix64 (Steele et al.
 * 2014).  Two addresses of a family never have the same number.
 */
static uint64_t
admission_key(const struct worker *w, const struct peer *peer)
{
	uint64_t key = 0;

	memcpy(&key, peer->address, admission_significant(peer));
	key ^= w->arena->header->secret + peer->family;
	key = (key ^ key >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
	return key ^ key >> 31;
}

static bool
admission_same(const struct peer *a, const struct peer *b)
{
	return a->family == b->family &&
	    memcmp(a->address, b->address, admission_significant(a)) == 0;
}

_Static_assert(sizeof(wchar_t) == sizeof(uint32_t), "marks as wmemchr's");

/*
 * True if `most` other connections have this address.  There is no counter that
 * a death could leave wrong.  Instead a row of marks by descriptor is searched,
 * 40 KB for 10,000 clients, and each hit is compared with its record.  Each new
 * client causes such a search, so wmemchr(3) does it: 10,000 marks in less than
 * a microsecond.
 */
static bool
admission_full(const struct worker *w, int fd, const struct peer *peer,
    uint32_t mark, unsigned most)
{
	const struct arena *a = w->arena;
	const wchar_t *row = (const void *)a->mark;
	const wchar_t *end = row + arena_end(a), *m = row;
	unsigned n = 0;

	for (; n < most &&
	     (m = wmemchr(m, (wchar_t)mark, (size_t)(end - m))) != NULL;
	     m++) {
		const struct connection *c = &a->connection[m - row];
		enum connection_state s = owner_state(connection_owner(c));

		if (m - row == fd)
			continue;
		/* A record that is being filled in has no address yet. */
		if (s == CONN_CLAIMED ||
		    ((s == CONN_OPEN || s == CONN_OFFERED) &&
			admission_same(&c->peer, peer)))
			n++;
	}
	return n >= most;
}

/* `fd` counts for no address any more. */
static void
admission_uncount(const struct worker *w, int fd)
{
	atomic_store_explicit(&w->arena->mark[fd], 0, memory_order_relaxed);
}

/* Count `fd` for its service, as for an address: first it counts, then the
 * others are counted, so that two clients never get the last place. */
static const char *
admission_join(const struct worker *w, int fd, unsigned entry)
{
	static char why[64];
	const struct arena *a = w->arena;
	unsigned most = w->handler[entry].service->maxclients, n = 0;
	unsigned end = arena_end(a);
	const uint8_t *row = (const void *)a->service;
	uint8_t mark = (uint8_t)(w->handler[entry].number + 1);

	atomic_store(&a->service[fd], mark);
	if (most == 0)
		return NULL;
	for (unsigned i = 0; i < end; i++)
		n += row[i] == mark;
	if (n <= most)
		return NULL;
	atomic_store(&a->service[fd], 0);
	snprintf(why, sizeof(why), "maxclients %u of its service reached",
	    most);
	return why;
}

static const char *
admission_count(struct worker *w, int fd, const struct peer *peer,
    unsigned entry, bool fresh)
{
	static char why[64];
	const struct service_config *c = w->handler[entry].service;
	uint64_t key = admission_key(w, peer);
	uint32_t mark = (uint32_t)key | 1; /* never 0 */

	atomic_store(&w->arena->mark[fd], mark);
	if (c->maxclients_per_ip != 0 &&
	    admission_full(w, fd, peer, mark, c->maxclients_per_ip))
		snprintf(why, sizeof(why), "maxclients-per-ip %u reached",
		    c->maxclients_per_ip);
	else if (fresh && !rate_allows(w, entry, key))
		snprintf(why, sizeof(why), "accept-rate-per-ip %u exceeded",
		    c->accept_rate_per_ip);
	else
		return NULL;
	admission_uncount(w, fd);
	return why;
}

/* True if a whole header that names a client can be read. */
static bool
admission_has_header(const struct worker *w, int fd)
{
	struct proxy_header h;
	ssize_t n = recv(fd, w->scratch, PROXY_BYTES, MSG_PEEK | MSG_DONTWAIT);

	return n > 0 && proxy_parse(w->scratch, (size_t)n, &h) == PROXY_OK &&
	    h.known;
}

const char *
admission_crowds(struct worker *w, int fd, const struct peer *peer,
    unsigned entry, bool fresh)
{
	const struct service_config *c = w->handler[entry].service;
	bool header = admission_expects_header(c, peer);
	const char *why = admission_join(w, fd, entry);

	if (why != NULL)
		return why;

	/* The many clients of a balancer do not count for its address. */
	if (header && admission_is_balancer(c, peer)) {
		admission_uncount(w, fd);
		return NULL;
	}
	why = admission_count(w, fd, peer, entry, fresh);
	return why != NULL && header && admission_has_header(w, fd) ? NULL
								    : why;
}

const char *
admission_recount(struct worker *w, int fd, const struct peer *peer)
{
	return admission_count(w, fd, peer,
	    connection_half(worker_connection(w, fd))->entry % HANDLER_ENTRIES,
	    true);
}

bool
admission_counted(const struct worker *w, int fd)
{
	return atomic_load_explicit(&w->arena->mark[fd],
		   memory_order_relaxed) != 0;
}

void
admission_leave(const struct worker *w, int fd)
{
	admission_uncount(w, fd);
	atomic_store_explicit(&w->arena->service[fd], 0, memory_order_relaxed);
}

void
admission_report(struct worker *w, const char *client, const char *what,
    const char *detail)
{
	unsigned missed;

	if (log_rate_limit(&w->refusals, &missed))
		log_warnx("%s refused: %s%s; %u more refused unlogged", client,
		    what, detail, missed);
}
