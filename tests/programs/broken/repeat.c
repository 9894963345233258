/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 2: it counts how often it waited for the rest of a line.
 */
#include "echod/handler.h"

#include <string.h>

static int
repeat_step(struct echod_step *s)
{
	uint8_t *waited = s->state;
	const char *newline = memchr(s->in, '\n', s->in_len);

	if (newline != NULL || (s->flags & (ECHOD_FULL | ECHOD_LAST)) != 0)
		s->consume = s->in_len;
	else if (s->in_len > 0)
		++*waited;
	s->pass = s->consume;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "repeat",
	.version = "1",
	.state_size = 1,
	.in_max = 64,
	.out_max = 64,
	.step = repeat_step,
};
