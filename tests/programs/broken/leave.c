/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 10: it ends the process when the client quits.
 */
#include "echod/handler.h"

#include <stdlib.h>

static int
leave_step(struct echod_step *s)
{
	if (s->in_len > 0 && s->in[0] == 'h')
		_Exit(0);
	s->consume = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "leave",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.step = leave_step,
};
