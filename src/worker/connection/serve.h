/* SPDX-License-Identifier: ISC */
/*
 * Serving one connection: receive, call the handler, send.
 */
#ifndef ECHOD_WORKER_CONNECTION_SERVE_H
#define ECHOD_WORKER_CONNECTION_SERVE_H

#include "worker/worker.h"

/*
 * An event of this worker's epoll instance is about the connection `fd`:
 * activate the connection and serve it.  If it is another slot's, stop watching
 * it; if its record cannot be served, close it.
 */
void serve_event(struct worker *w, int fd, uint32_t events);

/*
 * Do for `fd`, which this worker owns, what `events` (as from epoll(7)) makes
 * possible: one receive at most, and as much sending as the socket takes.  May
 * close the connection.  Never blocks.
 */
void serve(struct worker *w, int fd, uint32_t events);

/*
 * Bring the connection to its end in good order: all input received until now
 * is echoed, unterminated input included.  Then the client receives a FIN, and
 * the connection is read until the client sends its own.
 */
void serve_finish(struct worker *w, int fd);

/*
 * Continue a connection that another worker left: the handler is called for
 * the pending bytes, output is sent, an end that was reached is carried out.
 * Receives nothing.
 */
void serve_resume(struct worker *w, int fd);

/* The memory in which a connection's pending bytes are: the byte at position p
 * is mem[p - base]. */
struct serve_view {
	char *mem;
	uint64_t base;
};

/* The result of an attempt to settle pending bytes. */
enum serve_progress {
	SERVE_SETTLED, /* nothing is pending, or the handler holds it */
	SERVE_BLOCKED, /* the socket takes no more for now */
	SERVE_CLOSED   /* the connection is closed */
};

/*
 * Send the unsent bytes in `v`, then call the handler for the pending bytes, of
 * which the last `fresh` are new to it, and act on its results.  The slot's
 * operation must be OP_SERVE.  For serve.c and its tests.
 */
enum serve_progress serve_settle(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v, size_t fresh);

#endif
