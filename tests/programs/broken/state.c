/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 7: its state has no room for the NUL of eight bytes.
 */
#include "echod/handler.h"

#include <stdio.h>
#include <string.h>

static int
state_step(struct echod_step *s)
{
	char *last = s->state;
	size_t n = strlen(last);

	for (; s->consume < s->in_len; s->consume++) {
		char c = s->in[s->consume];

		if (c == '\0' || c == '\n' || n == 8)
			n = 0;
		else
			last[n++] = c;
		last[n] = '\0';
	}
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "state",
	.version = "1",
	.state_size = 8,
	.in_max = 64,
	.out_max = 64,
	.step = state_step,
};
