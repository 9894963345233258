/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 10: an empty line is never skipped.
 */
#include "echod/handler.h"

static int
hang_step(struct echod_step *s)
{
	volatile size_t at = 0;

	while (at < s->in_len)
		if (s->in[at] != '\n' || at + 1 == s->in_len)
			at++;
		else if (s->in[at + 1] != '\n')
			at += 2;
	s->consume = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "hang",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.step = hang_step,
};
