/* SPDX-License-Identifier: ISC */
/*
 * A handler that keeps its promises: lines come back.  A line that does not fit
 * comes back in pieces.
 */
#include "echod/handler.h"

#include <string.h>

static int
line_step(struct echod_step *s)
{
	const char *newline = memrchr(s->in, '\n', s->in_len);

	if (newline != NULL)
		s->consume = (size_t)(newline - s->in) + 1;
	else if ((s->flags & ECHOD_FULL) != 0 || s->event == ECHOD_EOF)
		s->consume = s->in_len;
	s->pass = s->consume;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "line",
	.version = "1",
	.in_max = 64,
	.out_max = 1,
	.step = line_step,
};
