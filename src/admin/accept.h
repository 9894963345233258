/* SPDX-License-Identifier: ISC */
/*
 * Taking clients from the listeners of the control socket and the metrics.
 */
#ifndef ECHOD_ADMIN_ACCEPT_H
#define ECHOD_ADMIN_ACCEPT_H

#include <stdbool.h>
#include <sys/socket.h>

/* True if `fd` is a listener. */
bool accept_is_listener(int fd);

/* Take a client, close-on-exec and non-blocking; `peer` and `len` as accept(2)
 * has them.  Returns -1 with errno set if there is none. */
int accept_client(int listener, struct sockaddr *peer, socklen_t *len);

#endif
