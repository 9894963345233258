/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 7: the NUL of snprintf(3) is one byte too many for `out`.
 */
#include "echod/handler.h"

#include <stdio.h>

static int
overwrite_step(struct echod_step *s)
{
	if (s->in_len == 0)
		return ECHOD_WAIT;
	s->consume = 1;
	s->write = (size_t)sprintf(s->out, "%u", (unsigned char)s->in[0]);
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "overwrite",
	.version = "1",
	.in_max = 64,
	.out_max = 3,
	.step = overwrite_step,
};
