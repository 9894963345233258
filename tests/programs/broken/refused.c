/* SPDX-License-Identifier: ISC */
/*
 * Is refused: the limit of a state is 4096 bytes.
 */
#include "echod/handler.h"

static int
refused_step(struct echod_step *s)
{
	s->consume = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "refused",
	.version = "1",
	.state_size = 5000,
	.in_max = 64,
	.out_max = 64,
	.step = refused_step,
};
