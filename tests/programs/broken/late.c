/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 9: it does nothing in a TIMER that is not on time.
 */
#include "echod/handler.h"

static int
late_step(struct echod_step *s)
{
	uint64_t *due = s->state;

	s->consume = s->in_len;
	if (s->event == ECHOD_OPEN)
		s->wake_ms = *due = s->now_ms + 100;
	if (s->event == ECHOD_TIMER && s->now_ms == *due)
		s->out[s->write++] = '.';
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "late",
	.version = "1",
	.state_size = sizeof(uint64_t),
	.in_max = 64,
	.out_max = 64,
	.step = late_step,
};
