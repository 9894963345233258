/* SPDX-License-Identifier: ISC */
/*
 * Metrics, health and a status page over HTTP, by libmicrohttpd; nothing of it
 * in a program built without.
 */
#ifndef ECHOD_ADMIN_HTTP_H
#define ECHOD_ADMIN_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/view.h"

/* Answer clients that come to `listener` from now on.  Returns 0, or -1 with
 * the reason logged. */
int http_begin(const struct view *v, int listener);

/* A descriptor that is readable when there is something to do; -1: never. */
int http_watch(void);

/* Do some of what there is to do; never waits for a client. */
void http_step(void);

/* When http_step() has something to do in any case, clock_ms(). */
uint64_t http_next(void);

/* Accept nobody any more. */
void http_finish(void);

/* True if no client is left. */
bool http_is_idle(void);

#endif
