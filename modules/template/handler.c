/* SPDX-License-Identifier: ISC */
/*
 * A handler to begin with: it greets each name that a client sends, a name a
 * line, and counts the names.
 */
#include <stdio.h>
#include <string.h>

#include <echod/handler.h>

/* The longest line, with its newline. */
#define HELLO_LINE 256
#define HELLO_IDLE_MS 60000

/* What echod keeps of each connection, whatever dies.  Another layout gets
 * another state_version. */
struct hello_state {
	uint32_t names;
};

static int
hello_step(struct echod_step *s)
{
	struct hello_state *state = s->state;
	const char *newline;
	int length;

	switch (s->event) {
	case ECHOD_TIMER: /* idle for too long */
		return ECHOD_FINISH;
	case ECHOD_EOF: /* what is left has no newline */
		return ECHOD_FINISH;
	case ECHOD_OPEN:
		s->wake_ms = s->now_ms + HELLO_IDLE_MS;
		break;
	}

	newline = memchr(s->in, '\n', s->in_len);
	if (newline == NULL) {
		/* No more input fits: this is an error of the client. */
		if ((s->flags & ECHOD_FULL) != 0)
			return ECHOD_FINISH;
		return ECHOD_WAIT;
	}

	/* One line in each step.  If there is another one, DATA comes next. */
	length = (int)(newline - s->in);
	state->names++;
	s->consume = (size_t)length + 1;
	s->write = (size_t)snprintf(s->out, s->out_max,
	    "Hello %.*s, you are number %u.\n", length, s->in, state->names);
	s->wake_ms = s->now_ms + HELLO_IDLE_MS;
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "hello",
	.version = "1",
	.state_version = 1,
	.state_size = sizeof(struct hello_state),
	.in_max = HELLO_LINE,
	.out_max = HELLO_LINE + 64,
	.step = hello_step,
	.probe = "echod\n",
	.probe_size = 6,
	.answer = "Hello echod,",
	.answer_size = 12,
};
