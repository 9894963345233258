/* SPDX-License-Identifier: ISC */
/*
 * Line echo: a line is echoed, byte for byte, when its newline has arrived.
 */
#include <string.h>

#include "handler/handler.h"

static int
echo_step(struct echod_step *s)
{
	/* The bytes that an earlier step has seen have no newline. */
	const char *newline = memrchr(s->in + s->in_seen, '\n',
	    s->in_len - s->in_seen);

	/* All lines that have arrived are echoed together.  A line that is too
	 * long to be held is echoed in pieces, and the last line may have no
	 * newline. */
	if (newline != NULL)
		s->consume = (size_t)(newline - s->in) + 1;
	else if ((s->flags & ECHOD_FULL) != 0 || s->event == ECHOD_EOF)
		s->consume = s->in_len;
	s->pass = s->consume;
	return ECHOD_WAIT;
}

const struct echod_handler handler_echo = {
	.abi = ECHOD_ABI,
	.size = sizeof(handler_echo),
	.name = "echo",
	.version = PACKAGE_VERSION,
	.in_max = ECHOD_IN_LIMIT,
	.out_max = 1,
	.step = echo_step,
	.probe = "echod --check\n",
	.probe_size = 14,
	.answer = "echod --check\n",
	.answer_size = 14,
};
