/* SPDX-License-Identifier: ISC */
/*
 * The control socket: one-line requests from the administrator, answered by
 * the master from the arena.
 *
 * A request is a line; the answer is text, or JSON if the word "json" stands
 * before the request; after it the connection is closed.  An answer that
 * begins with "error: " is a refusal.
 */
#ifndef ECHOD_ADMIN_CONTROL_SOCKET_H
#define ECHOD_ADMIN_CONTROL_SOCKET_H

#include <stdint.h>

#include "master/master.h"

/* Answer who comes to the listener `m->admin_sockets.control` from now on; -1 there
 * means nobody.  A failure is logged and leaves the service without it. */
void control_socket_begin(struct master *m);

/* A descriptor that is readable when there is something to do; -1: never. */
int control_socket_watch(void);

/* Do some of what there is to do; never waits for a client. */
void control_socket_step(struct master *m);

/* When control_socket_step() has something to do in any case, clock_ms(). */
uint64_t control_socket_next(void);

#endif
