/* SPDX-License-Identifier: ISC */
/*
 * The control socket: one-line requests from the administrator, answered from
 * the arena and the service state, or by the master.
 *
 * A request is a line; the answer is text, or JSON if the word "json" stands
 * before the request; after it the connection is closed.  An answer that
 * begins with "error: " is a refusal.  With the word "framed" before it, an
 * answer that is whole ends with a NUL.
 */
#ifndef ECHOD_ADMIN_CONTROL_SOCKET_H
#define ECHOD_ADMIN_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/view.h"
#include "shared/request.h"

/* Answer clients that come to `listener` from now on.  Returns 0, or -1 with
 * errno set. */
int control_socket_begin(const struct view *v, int listener);

/* A descriptor that is readable when there is something to do; -1: never. */
int control_socket_watch(void);

/* Do some of what there is to do; never waits for a client. */
void control_socket_step(void);

/* The master has answered. */
void control_socket_replied(const struct message *answer);

/* When control_socket_step() has something to do in any case, clock_ms(). */
uint64_t control_socket_next(void);

/* Accept nobody any more; clients that have not asked by `deadline` are
 * dropped. */
void control_socket_finish(uint64_t deadline);

/* True if no client is left. */
bool control_socket_is_idle(void);

#endif
