/* SPDX-License-Identifier: ISC */
/*
 * One listening socket.
 */
#ifndef ECHOD_MASTER_LISTENERS_LISTENER_H
#define ECHOD_MASTER_LISTENERS_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/addresses.h"

/* How to open a listener: a sum of these. */
enum {
	OPEN_SHARED = 1, /* share the port with our other listeners */
	OPEN_EARLY = 2,	 /* even if the machine lacks the address */
	OPEN_TRY = 4	 /* only bind, to see whether that works */
};

/* Open a socket that listens on the address.  Returns it, or -1 with errno set
 * and the name of the call that failed in `call`. */
int listener_open(const struct address *a, const struct service_config *c,
    unsigned how, const char **call);

/* Set the options that accepted sockets inherit, and the backlog; both can also
 * be changed while it listens.  Returns 0, or -1 with errno set. */
int listener_adjust(int fd, const struct service_config *c);

/* Let other sockets of the same user share its port (SO_REUSEPORT, socket(7)),
 * or not.  Returns 0, or -1 with errno set. */
int listener_share(int fd, bool yes);

/* Make it drop every SYN without an answer.  Returns 0, or -1 with errno set.
 */
int listener_drop_syns(int fd);

/* True if this machine has the address that a listener is bound to. */
bool listener_has_address(int fd);

/* True if the interface in its name, "[fe80::1%eth0]:6379", is there but is not
 * the one that the listener is bound to. */
bool listener_is_stale(int fd, const char *name);

/* Store in `why` the reason why `call` failed for the listener `name` of a
 * service, and what helps: "bind 0.0.0.0:7: Permission denied; ...". */
void listener_reason(char *why, size_t size, const char *call, const char *name,
    int error, const struct service_config *c);

#endif
