/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 9: after an hour of silence it makes up for each second.
 */
#include "echod/handler.h"

static int
storm_step(struct echod_step *s)
{
	uint64_t *due = s->state;

	s->consume = s->in_len;
	if (s->event == ECHOD_OPEN)
		*due = s->now_ms;
	if (s->event == ECHOD_OPEN || s->event == ECHOD_TIMER)
		s->wake_ms = *due += 1000;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "storm",
	.version = "1",
	.state_size = sizeof(uint64_t),
	.in_max = 64,
	.out_max = 64,
	.step = storm_step,
};
