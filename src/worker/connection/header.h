/* SPDX-License-Identifier: ISC */
/*
 * The PROXY header at the beginning of a connection: what it says about the
 * client, and how long it is awaited.
 *
 *	awaited --- whole, and its client is allowed ----------> served
 *	   |    --- optional: not one, or none in time --------> served
 *	   +------- wrong, cut, denied; on: none in time ------> closed
 *
 * The time counts from the accept, regardless of what arrives meanwhile.  So it
 * ends at the same time for every worker that has the record.
 */
#ifndef ECHOD_WORKER_CONNECTION_HEADER_H
#define ECHOD_WORKER_CONNECTION_HEADER_H

#include "worker/worker.h"

enum header_result {
	HEADER_MORE, /* not whole yet */
	HEADER_GO,   /* the client may be served */
	HEADER_DENY, /* the client is denied, and that is logged */
	HEADER_LIMIT /* the same: its address has too many connections */
};

/*
 * Examine `in`, the first `len` bytes of the connection `fd`, none of which is
 * settled; `end`: no more will come.  Stores the length of the header in
 * `bytes` and the address of the client in the record.
 */
enum header_result header_step(struct worker *w, int fd, const char *in,
    size_t len, bool end, size_t *bytes);

/* The same for a connection that has sent nothing and whose time is up. */
enum header_result header_give_up(struct worker *w, int fd);

/* True if it is time to decide about a connection that awaits its header. */
bool header_is_due(const struct worker *w, const struct connection *c);

/* The next time at which that may be so, clock_ms(). */
uint64_t header_deadline(const struct worker *w, const struct connection *c);

/* A connection has become this worker's: set TIMER_HEADERS if it awaits its
 * header. */
void header_expect(struct worker *w, const struct connection *c);

#endif
