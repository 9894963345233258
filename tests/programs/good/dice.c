/* SPDX-License-Identifier: ISC */
/*
 * A handler that keeps its promises, and does never the same: random numbers.
 */
#include "echod/handler.h"

#include <stdio.h>
#include <sys/random.h>

static int
dice_step(struct echod_step *s)
{
	unsigned char n;

	if (s->in_len == 0)
		return ECHOD_WAIT;
	if (getrandom(&n, 1, 0) != 1)
		return ECHOD_ABORT;
	s->consume = 1;
	s->write = (size_t)snprintf(s->out, s->out_max, "%d", n);
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "dice",
	.version = "1",
	.in_max = 16,
	.out_max = 4,
	.step = dice_step,
};
