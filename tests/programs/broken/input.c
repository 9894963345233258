/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 7: it changes its input in place.
 */
#include "echod/handler.h"

#include <ctype.h>

static int
input_step(struct echod_step *s)
{
	for (size_t i = 0; i < s->in_len; i++)
		if (islower((unsigned char)s->in[i]))
			((char *)(uintptr_t)s->in)[i] -= 'a' - 'A';
	s->consume = s->pass = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "input",
	.version = "1",
	.in_max = 64,
	.out_max = 1,
	.step = input_step,
};
