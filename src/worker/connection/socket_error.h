/* SPDX-License-Identifier: ISC */
/*
 * What the error of a recv(2) or send(2) means for its connection.
 */
#ifndef ECHOD_WORKER_CONNECTION_SOCKET_ERROR_H
#define ECHOD_WORKER_CONNECTION_SOCKET_ERROR_H

#include "worker/worker.h"

/* True if errno says that the same call may succeed later: an event will report
 * that.  A shortage of the kernel is logged; `what` is the call in words: "send
 * to", "receive from". */
bool socket_error_passes(struct worker *w, const struct connection *c,
    const char *what);

/* Close `fd` for `error`, the errno of the call. */
void socket_error_close(struct worker *w, int fd, int error);

#endif
