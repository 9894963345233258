/* SPDX-License-Identifier: ISC */
/*
 * What a recv(2) or send(2) that failed means for its connection.
 */
#ifndef ECHOD_WORKER_CONNECTION_SOCKET_ERROR_H
#define ECHOD_WORKER_CONNECTION_SOCKET_ERROR_H

#include "worker/worker.h"

/* True if errno says that the same call may succeed later: there will be an
 * event for it.  That the kernel is short of something is said in the log;
 * `what` was wanted: "send to", "receive from". */
bool socket_error_passes(struct worker *w, const struct connection *c,
    const char *what);

/* Close `fd`; `error` is the errno of the call. */
void socket_error_close(struct worker *w, int fd, int error);

#endif
