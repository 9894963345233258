/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 10: it asks to go on, and does nothing.
 */
#include "echod/handler.h"

static int
nothing_step(struct echod_step *s)
{
	s->consume = s->pass = s->in_len;
	return s->in_len > 0 || (s->flags & ECHOD_LAST) == 0 ? ECHOD_AGAIN
							     : ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "nothing",
	.version = "1",
	.in_max = 64,
	.out_max = 1,
	.step = nothing_step,
};
