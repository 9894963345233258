/* SPDX-License-Identifier: ISC */
/*
 * A connection's record: its invariants and its names.
 */
#include "shared/connection.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/address.h"

bool
connection_sane(const struct connection *c)
{
	const struct half *h = connection_half(c);
	uint64_t unsent = h->produced - c->tx, kept;

	if (c->phase > PHASE_LINGERING || h->written > OUTPUT_WINDOW ||
	    h->passed > SPILL_LINE || h->passed > h->consumed ||
	    c->tx > h->produced || unsent > (uint64_t)h->written + h->passed)
		return false;
	/* Input that comes after the end is forgotten. */
	if (c->phase == PHASE_LINGERING)
		return unsent == 0;
	kept = connection_kept(c);
	return h->consumed <= c->rx && c->rx - kept <= SPILL_LINE &&
	    ((c->flags & CONN_SPILLED) == 0 ||
		(c->window_base <= kept &&
		    c->rx - c->window_base <= SPILL_WINDOW));
}

bool
connection_sane_at_rest(const struct connection *c)
{
	return connection_sane(c) &&
	    (c->phase == PHASE_LINGERING || connection_kept(c) == c->rx ||
		(c->flags & CONN_SPILLED) != 0) &&
	    (connection_unsent_written(c) == 0 ||
		(c->flags & CONN_OUTPUT) != 0);
}

void
peer_from_sockaddr(struct peer *p, const struct sockaddr_storage *ss)
{
	memset(p, 0, sizeof(*p));
	p->family = (uint8_t)ss->ss_family;
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)ss;

		memcpy(p->address, &in->sin_addr, 4);
		p->port = ntohs(in->sin_port);
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)ss;

		memcpy(p->address, &in6->sin6_addr, 16);
		p->port = ntohs(in6->sin6_port);
		p->scope = in6->sin6_scope_id;
	}
	peer_normalize(p);
}

void
peer_normalize(struct peer *p)
{
	p->family = (uint8_t)address_normalize(p->family, p->address);
	if (p->family != AF_INET6)
		p->scope = 0;
}

const char *
peer_name(const struct peer *p)
{
	static char name[INET6_ADDRSTRLEN + 32];
	char address[INET6_ADDRSTRLEN];

	if ((p->family != AF_INET && p->family != AF_INET6) ||
	    inet_ntop(p->family, p->address, address, sizeof(address)) == NULL)
		return "unnamed peer";
	if (p->family == AF_INET)
		snprintf(name, sizeof(name), "%s:%u", address, p->port);
	else if (p->scope == 0)
		snprintf(name, sizeof(name), "[%s]:%u", address, p->port);
	else
		snprintf(name, sizeof(name), "[%s%%%u]:%u", address, p->scope,
		    p->port);
	return name;
}

const char *
close_reason_name(enum close_reason r)
{
	static const char *const names[CLOSE_REASONS] = {
#define REASON(name, text, label) [name] = (text),
		CLOSE_REASONS_TABLE(REASON)
#undef REASON
	};

	return r < CLOSE_REASONS ? names[r] : "unknown";
}

const char *
close_reason_label(enum close_reason r)
{
	static const char *const labels[CLOSE_REASONS] = {
#define REASON(name, text, label) [name] = (label),
		CLOSE_REASONS_TABLE(REASON)
#undef REASON
	};

	return r < CLOSE_REASONS ? labels[r] : "unknown";
}
