/* SPDX-License-Identifier: ISC */
/*
 * A handler that keeps its promises: a line comes back, but who begins a line
 * and does not end it within five seconds is told so, once.
 */
#include "echod/handler.h"

#include <string.h>

enum {
	PATIENT,
	WAITING,
	TOLD
};

static int
hurry_step(struct echod_step *s)
{
	uint8_t *state = s->state;
	const char *newline;

	if (s->event == ECHOD_TIMER) {
		memcpy(s->out, "hurry\n", 6);
		s->write = 6;
		*state = TOLD;
		return ECHOD_WAIT;
	}
	newline = memchr(s->in, '\n', s->in_len);
	if (newline != NULL || (s->flags & ECHOD_FULL) != 0 ||
	    s->event == ECHOD_EOF) {
		s->consume = newline == NULL ? s->in_len
					     : (size_t)(newline - s->in) + 1;
		s->pass = s->consume;
		s->wake_ms = 0;
		*state = PATIENT;
	} else if (*state == PATIENT && s->in_len > 0) {
		s->wake_ms = s->now_ms + 5000;
		*state = WAITING;
	}
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "hurry",
	.version = "1",
	.state_size = 1,
	.in_max = 48,
	.out_max = 8,
	.step = hurry_step,
};
