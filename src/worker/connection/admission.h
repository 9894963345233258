/* SPDX-License-Identifier: ISC */
/*
 * Access control: allowed and denied networks, how many connections an address
 * has, and how many it makes in a second.
 */
#ifndef ECHOD_WORKER_CONNECTION_ADMISSION_H
#define ECHOD_WORKER_CONNECTION_ADMISSION_H

#include "worker/worker.h"

/* False if clients of this address are not served. */
bool admission_allows(const struct service_config *c, const struct peer *peer);

/* True if a connection from `peer` begins with a PROXY header, or may. */
bool admission_expects_header(const struct service_config *c,
    const struct peer *peer);

/* True if the configuration names the address as a load balancer. */
bool admission_is_balancer(const struct service_config *c,
    const struct peer *peer);

/*
 * The reason to close a socket from `peer` at once, or NULL.  If a PROXY header
 * is expected, the rules apply to the address in the header.  But if the header
 * is optional and `peer` itself is denied, the header is not awaited.
 */
const char *admission_denies(const struct service_config *c,
    const struct peer *peer);

/*
 * Count `fd`, whose record is being filled in for a socket from `peer`, for the
 * service of the handler's `entry`, and for its address (the /64 of an IPv6
 * address); with `fresh`, also for the rate of that address.  Until its PROXY
 * header has arrived, a connection counts for the address of its peer, unless
 * that is a balancer.  Returns NULL, or the reason to refuse the connection.
 */
const char *admission_crowds(struct worker *w, int fd, const struct peer *peer,
    unsigned entry, bool fresh);

/* The same for the client at `peer` that a header has named.  `fd` does not
 * count for its former address any more. */
const char *admission_recount(struct worker *w, int fd,
    const struct peer *peer);

/* True if `fd` counts for an address. */
bool admission_counted(const struct worker *w, int fd);

/* `fd` counts for no address and no service any more. */
void admission_leave(const struct worker *w, int fd);

/* Log that the client of that name was refused; `what` and `detail` are the
 * reason. */
void admission_report(struct worker *w, const char *client, const char *what,
    const char *detail);

#endif
