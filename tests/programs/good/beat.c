/* SPDX-License-Identifier: ISC */
/*
 * A handler that keeps its promises: a greeting, a beat each second, and each
 * line back.
 */
#include "echod/handler.h"

#include <string.h>

static int
beat_step(struct echod_step *s)
{
	uint32_t *beats = s->state;
	const char *newline;

	if (s->event == ECHOD_OPEN) {
		memcpy(s->out, "hello\n", 6);
		s->write = 6;
		s->wake_ms = s->now_ms + 1000;
		return ECHOD_WAIT;
	}
	if (s->event == ECHOD_TIMER) {
		s->out[0] = (char)('0' + (*beats)++ % 10);
		s->out[1] = '\n';
		s->write = 2;
		s->wake_ms = s->now_ms + 1000;
		return ECHOD_WAIT;
	}
	newline = memchr(s->in, '\n', s->in_len);
	if (newline != NULL)
		s->consume = (size_t)(newline - s->in) + 1;
	else if ((s->flags & ECHOD_FULL) != 0 || s->event == ECHOD_EOF)
		s->consume = s->in_len;
	s->pass = s->consume;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "beat",
	.version = "1",
	.state_size = sizeof(uint32_t),
	.in_max = 48,
	.out_max = 8,
	.step = beat_step,
};
