/*
 * Who may come in: allowed and denied networks, how many from one address, how
 * many in a second, and what a load balancer says of a client.
 */
#ifndef ECHOD_WORKER_EDGE_H
#define ECHOD_WORKER_EDGE_H

#include "worker/worker.h"

/* False if a client of this address is not to be served at all. */
bool edge_allows(const struct config *c, const struct peer *peer);

/* Whether a connection from `peer` begins with a PROXY header, or may. */
bool edge_expects_header(const struct config *c, const struct peer *peer);

/* Whether a connection from `peer` must come without one, and cannot
 * (proxy-protocol on, and the sender is not trusted). */
bool edge_distrusts(const struct config *c, const struct peer *peer);

/*
 * Count `fd`, whose record is being filled in for a client at `peer`, among
 * those of its address (its /64 for IPv6).  Returns false if there are
 * maxclients-per-ip without it.
 */
bool edge_count(struct worker *w, int fd, const struct peer *peer);

/* It is counted no longer. */
void edge_uncount(const struct worker *w, int fd);

/* Milliseconds until the next client may be accepted; 0: now. */
unsigned edge_wait(const struct worker *w);

/* One was accepted. */
void edge_accepted(const struct worker *w);

/* What the beginning of a connection says. */
enum edge_verdict {
	EDGE_MORE,		/* not whole yet */
	EDGE_GO,		/* the client may be served */
	EDGE_DENY,		/* it may not, and that is logged */
};

/*
 * Rule on the `len` > 0 bytes the connection `fd` began with, before any of
 * them was settled; `end`: no more will come.  Stores the header's length in
 * `bytes` and the client's address in the record.
 */
enum edge_verdict edge_header(struct worker *w, int fd, const char *in,
    size_t len, bool end, size_t *bytes);

#endif
