/* SPDX-License-Identifier: ISC */
/*
 * Addresses of `bind` that this machine did not have.
 */
#ifndef ECHOD_MASTER_LISTENERS_LATE_H
#define ECHOD_MASTER_LISTENERS_LATE_H

#include "master/master.h"

/*
 * See whether one that was missing has come.  Most are listened on already,
 * since the kernel lets us before they are there (IP_FREEBIND, ip(7)): clients
 * are served from the moment they come, and it needs no privilege then, nor a
 * netlink socket; here that is only noticed and said.  Those that could not be
 * bound even so, such as one of an interface that was not there, are opened.
 */
void late_step(struct master *m);

/* When late_step() wants to be called again, clock_ms(). */
uint64_t late_next(const struct master *m);

#endif
