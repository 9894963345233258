/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 5: it goes on sending when the service ends.
 */
#include "echod/handler.h"

static int
end_step(struct echod_step *s)
{
	s->consume = s->in_len;
	s->out[s->write++] = 'x';
	return ECHOD_AGAIN;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "end",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.step = end_step,
};
