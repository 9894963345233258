/* SPDX-License-Identifier: ISC */
/*
 * A handler that keeps its promises: output without an end, at the pace of the
 * client.
 */
#include "echod/handler.h"

static int
endless_step(struct echod_step *s)
{
	uint32_t *next = s->state;

	s->consume = s->in_len;
	if ((s->flags & ECHOD_LAST) != 0)
		return ECHOD_FINISH;
	while (s->write < s->out_max)
		s->out[s->write++] = (char)('!' + (*next)++ % 94);
	return ECHOD_AGAIN;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "endless",
	.version = "1",
	.state_size = sizeof(uint32_t),
	.in_max = 32,
	.out_max = 50,
	.step = endless_step,
};
