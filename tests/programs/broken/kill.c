/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 4: it trusts `in_seen`, which is 0 after a death, and counts
 * bytes twice then.
 */
#include "echod/handler.h"

#include <stdio.h>
#include <string.h>

static int
kill_step(struct echod_step *s)
{
	uint32_t *bytes = s->state;

	if (s->event != ECHOD_DATA)
		return ECHOD_WAIT;
	*bytes += (uint32_t)(s->in_len - s->in_seen);
	if (memchr(s->in, '\n', s->in_len) == NULL &&
	    (s->flags & ECHOD_FULL) == 0)
		return ECHOD_WAIT;
	s->consume = s->in_len;
	if ((s->flags & ECHOD_LAST) == 0)
		return ECHOD_WAIT;
	s->write = (size_t)snprintf(s->out, s->out_max, "%u\n", *bytes);
	return ECHOD_FINISH;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "kill",
	.version = "1",
	.state_size = sizeof(uint32_t),
	.in_max = 64,
	.out_max = 64,
	.step = kill_step,
};
