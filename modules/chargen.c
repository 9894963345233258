/* SPDX-License-Identifier: ISC */
/*
 * Character generator (RFC 864): lines of a ring pattern, until the client
 * closes.
 *
 * It teaches: output without an end, at the client's pace, and state that says
 * where the next step goes on.
 */
#include <string.h>

#include "echod/handler.h"

#define CHARGEN_RING 95 /* printing characters, from ' ' to '~' */
#define CHARGEN_COLUMNS 72
#define CHARGEN_LINE (CHARGEN_COLUMNS + 2)

/* Zeros at OPEN: the first line begins with the first character. */
struct chargen_state {
	uint32_t line; /* the next one, modulo CHARGEN_RING */
};

static int
chargen_step(struct echod_step *s)
{
	/* The ring, and its beginning again: a line is never in two pieces. */
	static const char ring[] =
	    " !\"#$%&'()*+,-./0123456789:;<=>?@"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
	    " !\"#$%&'()*+,-./0123456789:;<=>?@"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdef";
	struct chargen_state *state = s->state;

	_Static_assert(sizeof(ring) >= CHARGEN_RING + CHARGEN_COLUMNS,
	    "the last line is whole");
	/* Input is dropped in each step, since MORE comes before DATA. */
	s->consume = s->in_len;
	/* As many lines as fit: the fewer steps, the faster. */
	while (s->write + CHARGEN_LINE <= s->out_max) {
		memcpy(s->out + s->write, ring + state->line, CHARGEN_COLUMNS);
		memcpy(s->out + s->write + CHARGEN_COLUMNS, "\r\n", 2);
		s->write += CHARGEN_LINE;
		state->line = (state->line + 1) % CHARGEN_RING;
	}
	/* MORE comes when the client has room again: a slow client costs
	 * nothing.  The client, or a drain, ends it. */
	return (s->flags & ECHOD_LAST) != 0 ? ECHOD_FINISH : ECHOD_AGAIN;
}

/* The beginning of the first line. */
#define CHARGEN_ANSWER " !\"#$%&'()*+,-./0123456789"

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "chargen",
	.version = "1",
	.state_version = 1,
	.state_size = sizeof(struct chargen_state),
	.in_max = 4096,
	.out_max = ECHOD_OUT_LIMIT,
	.step = chargen_step,
	.answer = CHARGEN_ANSWER,
	.answer_size = sizeof(CHARGEN_ANSWER) - 1,
};
