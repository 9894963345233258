/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 7: it takes the length that snprintf(3) returns for the number
 * of bytes in `out`.
 */
#include "echod/handler.h"

#include <stdio.h>

static int
length_step(struct echod_step *s)
{
	if (s->in_len == 0)
		return ECHOD_WAIT;
	s->consume = 1;
	s->write = (size_t)snprintf(s->out, s->out_max, "%u\n",
	    (unsigned char)s->in[0]);
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "length",
	.version = "1",
	.in_max = 64,
	.out_max = 3,
	.step = length_step,
};
