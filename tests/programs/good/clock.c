/* SPDX-License-Identifier: ISC */
/*
 * A handler that keeps its promises: the time, and the end.  Its output depends
 * on the clock, and it never looks at the input.
 */
#include "echod/handler.h"

#include <stdio.h>

static int
clock_step(struct echod_step *s)
{
	s->write = (size_t)snprintf(s->out, s->out_max, "%llu\n",
	    (unsigned long long)s->unix_ms);
	return ECHOD_FINISH;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "clock",
	.version = "1",
	.in_max = 1,
	.out_max = 32,
	.step = clock_step,
};
