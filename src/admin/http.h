/* SPDX-License-Identifier: ISC */
/*
 * Metrics, health and a status page over HTTP, by libmicrohttpd inside the
 * master's loop; nothing of it in a program built without.
 */
#ifndef ECHOD_ADMIN_HTTP_H
#define ECHOD_ADMIN_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "master/master.h"

/* Answer who comes to the listener `m->admin_sockets.metrics` from now on; -1 there
 * means nobody.  A failure is logged and leaves the service without it. */
void http_begin(struct master *m);

/* A descriptor that is readable when there is something to do; -1: never. */
int http_watch(void);

/* True if `fd` is the number of an epoll(7) instance of its. */
bool http_has(int fd);

/* Do some of what there is to do; never waits for a client. */
void http_step(void);

/* When http_step() has something to do in any case, clock_ms(). */
uint64_t http_next(void);

#endif
