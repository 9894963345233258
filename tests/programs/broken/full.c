/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 6: it waits for the end of a line that does not fit.
 */
#include "echod/handler.h"

#include <string.h>

static int
full_step(struct echod_step *s)
{
	const char *newline = memrchr(s->in, '\n', s->in_len);

	if (newline != NULL)
		s->consume = s->pass = (size_t)(newline - s->in) + 1;
	else if ((s->flags & ECHOD_LAST) != 0)
		s->consume = s->pass = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "full",
	.version = "1",
	.in_max = 16,
	.out_max = 1,
	.step = full_step,
};
