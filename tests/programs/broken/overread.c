/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 7: after a CR it looks at the next byte, whether there is one
 * or not.
 */
#include "echod/handler.h"

static int
overread_step(struct echod_step *s)
{
	while (s->consume < s->in_len) {
		const char *c = &s->in[s->consume++];

		if (c[0] == '\r' && c[1] == 'z')
			s->out[s->write++] = '.';
	}
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "overread",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.step = overread_step,
};
