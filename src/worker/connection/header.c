/* SPDX-License-Identifier: ISC */
/*
 * The PROXY header at the beginning of a connection.
 */
#include "worker/connection/header.h"

#include <stdio.h>

#include "lib/clock.h"
#include "worker/connection/admission.h"
#include "worker/connection/proxy.h"

/*
 * Senders send a header first and in one piece (section 2 of the protocol).  So
 * if a header is optional and less than its signature has arrived after so many
 * ms, there is no header.
 */
#define SIGNATURE_MS 1000

static uint64_t
header_limit(const struct worker *w, const struct connection *c)
{
	return (uint64_t)worker_service(w, c)->proxy_protocol_timeout * 1000;
}

/* `ms` have passed since the connection was accepted. */
static bool
header_is_late(const struct connection *c, uint64_t ms)
{
	return clock_ms() - c->opened >= ms;
}

static bool
header_is_optional(const struct worker *w, const struct connection *c)
{
	return worker_service(w, c)->proxy_protocol != PROXY_PROTOCOL_ON;
}

/* After so many ms, a connection that has sent something may be due. */
static uint64_t
header_soonest(const struct worker *w, const struct connection *c)
{
	uint64_t limit = header_limit(w, c);

	return header_is_optional(w, c) ? clock_earlier(limit, SIGNATURE_MS)
					: limit;
}

bool
header_is_due(const struct worker *w, const struct connection *c)
{
	return header_is_late(c,
	    connection_pending(c) > 0 ? header_soonest(w, c)
				      : header_limit(w, c));
}

uint64_t
header_deadline(const struct worker *w, const struct connection *c)
{
	return c->opened +
	    (header_is_late(c, header_soonest(w, c)) ? header_limit(w, c)
						     : header_soonest(w, c));
}

void
header_expect(struct worker *w, const struct connection *c)
{
	/* A stop has its own end for them. */
	if (connection_awaits_header(c) && !w->draining)
		timer_sooner(&w->timers, TIMER_HEADERS, header_deadline(w, c));
}

static enum header_result
header_deny(struct worker *w, const struct connection *c, const char *what,
    const char *detail)
{
	admission_report(w, worker_client_name(w, c), what, detail);
	return HEADER_DENY;
}

static enum header_result
header_too_late(struct worker *w, const struct connection *c, const char *what)
{
	char within[48];

	snprintf(within, sizeof(within), " within %u s of its connection",
	    worker_service(w, c)->proxy_protocol_timeout);
	return header_deny(w, c, what, within);
}

/* The client is known.  If no header has `named` another address, the
 * connection may be counted already. */
static enum header_result
header_admit(struct worker *w, int fd, bool named)
{
	const struct connection *c = worker_connection(w, fd);
	const char *why;

	if (!admission_allows(worker_service(w, c), &c->peer))
		return header_deny(w, c, "its address is not allowed", "");
	if (!named && admission_counted(w, fd))
		return HEADER_GO;
	why = admission_recount(w, fd, &c->peer);
	if (why == NULL)
		return HEADER_GO;
	admission_report(w, worker_client_name(w, c), why, "");
	return HEADER_LIMIT;
}

enum header_result
header_step(struct worker *w, int fd, const char *in, size_t len, bool end,
    size_t *bytes)
{
	struct connection *c = worker_connection(w, fd);
	bool optional = header_is_optional(w, c);
	struct proxy_header h;

	*bytes = 0;
	switch (proxy_parse(in, len, &h)) {
	case PROXY_MAYBE:
		if (optional &&
		    (end || header_is_late(c, header_soonest(w, c))))
			break;
		/* FALLTHROUGH */
	case PROXY_MORE:
		if (end)
			return header_deny(w, c, "PROXY header is cut", "");
		if (header_is_late(c, header_limit(w, c)))
			return header_too_late(w, c, "no whole PROXY header");
		return HEADER_MORE;
	case PROXY_NONE:
		if (!optional)
			return header_deny(w, c, "no PROXY header", "");
		break;
	case PROXY_BAD:
		return header_deny(w, c, "PROXY header: ", h.fault);
	case PROXY_OK:
		*bytes = h.bytes;
		if (h.known)
			c->peer = h.peer;
		/* A health check of a known balancer is no client. */
		else if (h.local &&
		    admission_is_balancer(worker_service(w, c), &c->peer))
			return HEADER_GO;
	}
	return header_admit(w, fd, h.known);
}

enum header_result
header_give_up(struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);

	if (!header_is_optional(w, c))
		return header_too_late(w, c, "no PROXY header");
	return header_admit(w, fd, false);
}
