/* SPDX-License-Identifier: ISC */
/*
 * What the kernel says of sockets of other processes, sock_diag(7): when a
 * client's last byte went in or out, and how long listeners' queues are.
 */
#ifndef ECHOD_ADMIN_SOCK_DIAG_H
#define ECHOD_ADMIN_SOCK_DIAG_H

#include <stdbool.h>

#include "admin/view.h"

/* Open what is asked by; where the kernel or a container refuses that, nothing
 * is known. */
void sock_diag_begin(const struct view *v);

/* Ask for all connections, unless that was done a moment ago. */
void sock_diag_look(void);

/* Milliseconds since a byte went in or out of the socket with that cookie, when
 * sock_diag_look() looked.  False if that is not known. */
bool sock_diag_idle(uint64_t cookie, uint64_t *ms);

/* How many connections listener `i` has waiting, and may have. */
void sock_diag_queue(unsigned i, unsigned *waiting, unsigned *limit);

#endif
