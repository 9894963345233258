/* SPDX-License-Identifier: ISC */
/*
 * A step of a handler: what is due, the call, the check, the commit.
 *
 *	1  No step is made, and nothing is received, unless all output is sent.
 *	2  A step works on a copy of the state, and fills the half and the state
 *	   that do not count.  Nothing of those that count is written before the
 *	   commit: not the timer, not which events were delivered.
 *	3  The commit is one store, of `epoch`.  Output is sent after it.
 *	4  `seen` is stored after the commit.  Lost, it costs one DATA more; too
 *	   early, it would hide input for ever.
 *	5  A DATA that decides nothing is not committed.
 *	6  Passed input is not overwritten before it is sent (serve.c).
 *
 * After a death the kernel says what was received and sent; all else is in the
 * half that counts.  A step that was not committed is made again.
 */
#ifndef ECHOD_WORKER_CONNECTION_STEP_H
#define ECHOD_WORKER_CONNECTION_STEP_H

#include "worker/worker.h"

/* The memory in which a connection's kept input and unsent output are: the byte
 * of input at position p is mem[p - base], output begins at `out`. */
struct serve_view {
	char *mem;
	uint64_t base;
	const char *out;
};

enum step_result {
	STEP_NONE,  /* no event is due, or its handler waits */
	STEP_MADE,  /* a step was made: another may be due */
	STEP_CLOSED /* the connection is closed: its handler is at fault, or
		     * wants that */
};

/* True if a step could be made: an event is due, and nothing is unsent. */
bool step_is_due(struct worker *w, const struct connection *c);

/* Make the step that is due.  Nothing may be unsent, and the slot's operation
 * must be OP_SERVE.  The step writes to the slot's scratch output. */
enum step_result step_make(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v);

/* Commit that `bytes` of input are consumed before OPEN: a PROXY header. */
void step_skip(struct connection *c, size_t bytes);

/* The handler of a connection, for the log: "echo". */
const char *step_handler_name(const struct worker *w,
    const struct connection *c);

/* How many bytes more its handler lets a connection receive. */
size_t step_room(const struct worker *w, const struct connection *c);

#endif
