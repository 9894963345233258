/* SPDX-License-Identifier: ISC */
/*
 * Serving one connection: receive, let the handler make steps, send.
 */
#ifndef ECHOD_WORKER_CONNECTION_SERVE_H
#define ECHOD_WORKER_CONNECTION_SERVE_H

#include "worker/connection/step.h"

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
 * is handled, the handler is told that no more will come, and its output is
 * sent.  Then the client receives a FIN, and the connection is read until the
 * client sends its own.
 */
void serve_finish(struct worker *w, int fd);

/*
 * Continue a connection that has become this worker's: output is sent, steps
 * that are due are made, an end that was reached is carried out, its timer is
 * set.  Receives nothing.
 */
void serve_resume(struct worker *w, int fd);

/* Serve the connection again at `at` (worker_now(); 0: in the next round), if
 * not before.  Closes it if there is no memory for that. */
void serve_arm(struct worker *w, int fd, uint64_t at);

/* At TIMER_CONNECTIONS: serve the connections whose time has come. */
void serve_timers(struct worker *w);

/* True if the client has received all and said nothing since, or talks for too
 * long after our FIN. */
bool serve_has_lingered(const struct worker *w, int fd, uint64_t now);

/* The result of an attempt to settle what is kept and unsent. */
enum serve_progress {
	SERVE_SETTLED, /* all is sent, and the handler waits */
	SERVE_BLOCKED, /* the socket takes no more for now */
	SERVE_MORE,    /* the handler could go on, but others come first */
	SERVE_CLOSED   /* the connection is closed */
};

/*
 * Send the unsent output in `v`, then make the steps that are due, and send
 * their output.  The slot's operation must be OP_SERVE.  For serve.c and its
 * tests.
 */
enum serve_progress serve_settle(struct worker *w, int fd, struct connection *c,
    struct serve_view *v);

#endif
