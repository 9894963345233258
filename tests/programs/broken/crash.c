/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 10: it writes where no memory is, at a NUL.
 */
#include "echod/handler.h"

static int
crash_step(struct echod_step *s)
{
	for (; s->consume < s->in_len; s->consume++)
		if (s->in[s->consume] == '\0')
			*(volatile char *)(64 + s->consume) = 0;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "crash",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.step = crash_step,
};
