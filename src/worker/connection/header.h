/* SPDX-License-Identifier: ISC */
/*
 * The PROXY header that a connection begins with: what it says of the client,
 * and how long it is waited for.
 *
 *	awaited --- whole, and its client may come in ---------> served
 *	   |    --- optional: not one, or none in time --------> served
 *	   +------- wrong, cut, denied; on: none in time ------> closed
 *
 * The wait counts from when the connection was accepted, whatever arrives
 * meanwhile, so that it ends in time for any worker that has the record.
 */
#ifndef ECHOD_WORKER_CONNECTION_HEADER_H
#define ECHOD_WORKER_CONNECTION_HEADER_H

#include "worker/worker.h"

enum header_result {
	HEADER_MORE, /* not whole yet */
	HEADER_GO,   /* the client may be served */
	HEADER_DENY, /* it may not, and that is logged */
	HEADER_LIMIT /* the same: too many of its address */
};

/*
 * Rule on the `len` bytes the connection `fd` began with, before any of them
 * was settled; `end`: no more will come.  Stores the header's length in
 * `bytes` and the client's address in the record.
 */
enum header_result header_step(struct worker *w, int fd, const char *in,
    size_t len, bool end, size_t *bytes);

/* Rule on one that has sent nothing and whose time is up. */
enum header_result header_give_up(struct worker *w, int fd);

/* True if a connection that awaits its header is to be ruled on by now. */
bool header_is_due(const struct worker *w, const struct connection *c);

/* When that may be so next, clock_ms(). */
uint64_t header_deadline(const struct worker *w, const struct connection *c);

/* A connection that may await its header has become this worker's. */
void header_expect(struct worker *w, const struct connection *c);

#endif
