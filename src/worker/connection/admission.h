/* SPDX-License-Identifier: ISC */
/*
 * What may come in: allowed and denied networks, how many from one address, and
 * how many of them in a second.
 */
#ifndef ECHOD_WORKER_CONNECTION_ADMISSION_H
#define ECHOD_WORKER_CONNECTION_ADMISSION_H

#include "worker/worker.h"

/* False if a client of this address is not to be served at all. */
bool admission_allows(const struct config *c, const struct peer *peer);

/* Whether a connection from `peer` begins with a PROXY header, or may. */
bool admission_expects_header(const struct config *c, const struct peer *peer);

/* True if the administrator has named the address as a load balancer's. */
bool admission_is_balancer(const struct config *c, const struct peer *peer);

/*
 * Why a socket from `peer` is to be closed at once, or NULL.  If a header is
 * expected it is the address in there that the rules are about; but one that is
 * denied itself and need not send one is not waited for.
 */
const char *admission_denies(const struct config *c, const struct peer *peer);

/*
 * Count `fd`, whose record is being filled in for a socket from `peer`, among
 * those of its address (its /64 for IPv6); with `fresh`, also among those that
 * come in a second.  Until its header has spoken it is that address's, unless
 * that is a balancer's.  Returns NULL, or why there is no room for it.
 */
const char *admission_crowds(struct worker *w, int fd, const struct peer *peer,
    bool fresh);

/* The same of a client at `peer`, known to be it; what `fd` was counted among
 * before it is not any more. */
const char *admission_recount(struct worker *w, int fd,
    const struct peer *peer);

/* True if `fd` is counted. */
bool admission_counted(const struct worker *w, int fd);

/* It is counted no longer. */
void admission_uncount(const struct worker *w, int fd);

/* Tell the log that a client was turned away; `what` and `detail` say why. */
void admission_report(struct worker *w, const struct peer *peer,
    const char *what, const char *detail);

#endif
