/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 7: it sends a byte of `out` that it has not written.
 */
#include "echod/handler.h"

static int
unwritten_step(struct echod_step *s)
{
	if (s->in_len == 0)
		return ECHOD_WAIT;
	s->consume = 1;
	s->write = s->in[0] == '\n' ? 2 : 1;
	s->out[0] = s->in[0];
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "unwritten",
	.version = "1",
	.in_max = 64,
	.out_max = 4,
	.step = unwritten_step,
};
