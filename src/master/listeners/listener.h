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

/* How to open one. */
enum {
	OPEN_SHARED = 1, /* others of ours do not stand in its way */
	OPEN_EARLY = 2,	 /* the machine need not have the address yet */
	OPEN_TRY = 4	 /* only to see whether it can be: not listen */
};

/* A socket that listens on the address, or -1 with errno set and the call that
 * failed in `call`. */
int listener_open(const struct address *a, const struct config *c, unsigned how,
    const char **call);

/* Set what accepted sockets inherit, and whatever else can be changed of one
 * that listens.  Returns 0, or -1 with errno set. */
int listener_adjust(int fd, const struct config *c);

/* Let others of the same user share its port (SO_REUSEPORT, socket(7)), or
 * not.  Returns 0, or -1 with errno set. */
int listener_share(int fd, bool yes);

/* Have it drop every SYN in silence.  Returns 0, or -1 with errno set. */
int listener_drop_syns(int fd);

/* Whether this machine has the address that a listener is bound to. */
bool listener_has_address(int fd);

/* Whether the interface in its name, "[fe80::1%eth0]:6379", is there and is
 * another than the one that it is bound to. */
bool listener_is_stale(int fd, const char *name);

/* The reason why `call` failed for the listener called `name`, and what helps:
 * "bind 0.0.0.0:7: Permission denied; ...". */
void listener_reason(char *why, size_t size, const char *call, const char *name,
    int error, unsigned port);

#endif
