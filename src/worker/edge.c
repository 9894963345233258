/*
 * Who may come in: the rules, and counting by address and by time.
 */
#include "worker/edge.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "worker/proxy.h"

bool
edge_allows(const struct config *c, const struct peer *peer)
{
	if (networks_contain(&c->deny, peer->family, peer->address))
		return false;
	return c->allow.count == 0 ||
	    networks_contain(&c->allow, peer->family, peer->address);
}

static bool
is_trusted(const struct config *c, const struct peer *peer)
{
	return c->proxy_trusted.count == 0 ||
	    networks_contain(&c->proxy_trusted, peer->family, peer->address);
}

bool
edge_expects_header(const struct config *c, const struct peer *peer)
{
	return c->proxy_protocol != PROXY_PROTOCOL_OFF && is_trusted(c, peer);
}

bool
edge_distrusts(const struct config *c, const struct peer *peer)
{
	return c->proxy_protocol == PROXY_PROTOCOL_ON && !is_trusted(c, peer);
}

/* Bytes of an address that make a client: all of IPv4, the /64 of IPv6, which
 * is what one site has at least (RFC 6177). */
static size_t
significant(const struct peer *peer)
{
	return peer->family == AF_INET ? 4 : 8;
}

/* FNV-1a over them; never 0. */
static uint32_t
fingerprint(const struct peer *peer)
{
	uint32_t word = 2166136261 ^ peer->family;

	for (size_t i = 0; i < significant(peer); i++)
		word = (word ^ peer->address[i]) * 16777619;
	return word | 1;
}

static bool
same(const struct peer *a, const struct peer *b)
{
	return a->family == b->family &&
	    memcmp(a->address, b->address, significant(a)) == 0;
}

/*
 * There is no counter that a death could leave wrong: a row of fingerprints by
 * descriptor is looked through, 40 KB of it for 10,000 clients, and each hit
 * held against its record.
 */
static unsigned
others(const struct worker *w, int fd, const struct peer *peer, uint32_t mark)
{
	const struct arena *a = w->arena;
	int end = (int)arena_end(a);
	unsigned n = 0;

	for (int i = 0; i < end; i++) {
		const struct connection *c = &a->connection[i];
		enum connection_state s;

		if (atomic_load_explicit(&a->mark[i], memory_order_relaxed) !=
		    mark || i == fd)
			continue;
		s = holder_state(connection_held_by(c));
		/* Being filled in: its address is not there yet. */
		if (s == CONN_TAKING || ((s == CONN_OPEN || s == CONN_GIVEN) &&
		    same(&c->peer, peer)))
			n++;
	}
	return n;
}

bool
edge_count(struct worker *w, int fd, const struct peer *peer)
{
	uint32_t mark = fingerprint(peer);

	atomic_store(&w->arena->mark[fd], mark);
	if (w->config->maxclients_per_ip == 0 ||
	    others(w, fd, peer, mark) < w->config->maxclients_per_ip)
		return true;
	edge_uncount(w, fd);
	return false;
}

void
edge_uncount(const struct worker *w, int fd)
{
	atomic_store_explicit(&w->arena->mark[fd], 0, memory_order_relaxed);
}

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/*
 * The rate is kept by the generic cell rate algorithm (ITU-T I.371): one time
 * in the arena, at which the next client would be due if they came at the rate
 * exactly, tells all.  A burst may be ahead of it.
 */
unsigned
edge_wait(const struct worker *w)
{
	const struct config *c = w->config;
	uint64_t due, now, ahead;

	if (c->accept_rate == 0)
		return 0;
	due = atomic_load(&w->arena->header->accept_due);
	now = now_us();
	ahead = (uint64_t)(c->accept_burst - 1) * 1000000 / c->accept_rate;
	if (due <= now + ahead)
		return 0;
	return (unsigned)((due - now - ahead + 999) / 1000);
}

void
edge_accepted(const struct worker *w)
{
	_Atomic uint64_t *due = &w->arena->header->accept_due;
	uint64_t was = atomic_load(due), now, next;

	if (w->config->accept_rate == 0)
		return;
	now = now_us();
	do
		next = (was > now ? was : now) +
		    1000000 / w->config->accept_rate;
	while (!atomic_compare_exchange_weak(due, &was, next));
}

static enum edge_verdict
deny(struct worker *w, const struct connection *c, const char *what,
    const char *detail)
{
	unsigned missed;

	if (log_brake(&w->refusals, &missed))
		log_warnx("%s refused: %s%s; %u more refused unlogged",
		    peer_name(&c->peer), what, detail, missed);
	return EDGE_DENY;
}

enum edge_verdict
edge_header(struct worker *w, int fd, const char *in, size_t len, bool end,
    size_t *bytes)
{
	struct connection *c = worker_connection(w, fd);
	struct proxy_header h;

	*bytes = 0;
	switch (proxy_parse(in, len, &h)) {
	case PROXY_MORE:
		return end ? deny(w, c, "PROXY header is cut", "") : EDGE_MORE;
	case PROXY_NONE:
		if (w->config->proxy_protocol == PROXY_PROTOCOL_ON)
			return deny(w, c, "no PROXY header", "");
		break;
	case PROXY_BAD:
		return deny(w, c, "PROXY header: ", h.fault);
	case PROXY_OK:
		*bytes = h.bytes;
		if (h.known)
			c->peer = h.peer;
	}
	if (!edge_allows(w->config, &c->peer))
		return deny(w, c, "its address is not allowed", "");
	if (!edge_count(w, fd, &c->peer))
		return deny(w, c, "too many of its address", "");
	return EDGE_GO;
}
