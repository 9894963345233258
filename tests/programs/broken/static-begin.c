/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 8: the count of connections is in static memory, and another
 * worker has another one.
 */
#include "echod/handler.h"

#include <stdio.h>

static unsigned connections;

static int
begin_step(struct echod_step *s)
{
	s->consume = s->in_len;
	if (s->event == ECHOD_OPEN)
		s->write = (size_t)snprintf(s->out, s->out_max, "%u\n",
		    ++connections);
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "static-begin",
	.version = "1",
	.in_max = 64,
	.out_max = 64,
	.step = begin_step,
};
