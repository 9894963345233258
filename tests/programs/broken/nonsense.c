/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 10: it returns the number of bytes.
 */
#include "echod/handler.h"

static int
nonsense_step(struct echod_step *s)
{
	s->consume = s->pass = s->in_len;
	return s->in_len > 3 ? (int)s->in_len : ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "nonsense",
	.version = "1",
	.in_max = 64,
	.out_max = 1,
	.step = nonsense_step,
};
