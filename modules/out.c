/* SPDX-License-Identifier: ISC */
/*
 * Lines: each line comes back when its newline has arrived, as in the built-in
 * echo, but as a copy.  So it measures the cost of a reply of a module.
 *
 * It teaches: a protocol of lines, the hint in_seen, and the two ends of input.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memrchr */
#endif
#include <string.h>

#include "echod/handler.h"

static int
out_step(struct echod_step *s)
{
	const char *newline;

	/* More lines than one at once: a client may send them in advance.  The
	 * bytes that were seen before have no newline. */
	newline = memrchr(s->in + s->in_seen, '\n', s->in_len - s->in_seen);
	if (newline != NULL)
		s->consume = (size_t)(newline - s->in) + 1;
	/* A line that is too long to wait for its end goes out in pieces, and
	 * so does the last one, which has none. */
	else if (s->event == ECHOD_EOF || (s->flags & ECHOD_FULL) != 0)
		s->consume = s->in_len;
	memcpy(s->out, s->in, s->consume);
	s->write = s->consume;
	/* After EOF this is the end. */
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "out",
	.version = "1",
	.in_max = ECHOD_IN_LIMIT,
	.out_max = ECHOD_OUT_LIMIT,
	.step = out_step,
	.probe = "probe\n",
	.probe_size = 6,
	.answer = "probe\n",
	.answer_size = 6,
};
