/* SPDX-License-Identifier: ISC */
/*
 * Serving one connection: receive, have the handler rule, send.
 */
#ifndef ECHOD_WORKER_CONNECTION_SERVE_H
#define ECHOD_WORKER_CONNECTION_SERVE_H

#include "worker/worker.h"

/*
 * Do for `fd` what `revents` (as from epoll(7)) makes possible:
 * one receive at most, and as much sending as the socket takes.  May close
 * it.  Never blocks.
 */
void serve(struct worker *w, int fd, uint32_t revents);

/*
 * Bring the connection to its end in good order: what was received up to now
 * is echoed, unterminated input included, then the client is told by a FIN
 * and read until it answers with its own.
 */
void serve_finish(struct worker *w, int fd);

/*
 * Go on with a connection that another worker left: what is pending is ruled
 * on and sent, an end that was reached is carried out.  Receives nothing.
 */
void serve_resume(struct worker *w, int fd);

#endif
