/* SPDX-License-Identifier: ISC */
/*
 * A module with a state: it numbers the lines of its client.  It is built as
 * version 1 of the state, and as version 2 with and without migrate().
 */
#include <stdio.h>
#include <string.h>

#include "echod/handler.h"

#ifndef COUNT_VERSION
#define COUNT_VERSION 1
#endif
#ifndef COUNT_IN
#define COUNT_IN 4096
#endif

#define COUNT_TEXT(n) COUNT_TEXT_OF(n)
#define COUNT_TEXT_OF(n) #n

struct count_one {
	uint32_t lines;
};

struct count_two {
	uint64_t magic, lines;
};

#if COUNT_VERSION == 1
typedef struct count_one count_state;
#else
typedef struct count_two count_state;
#endif

/* Each line is answered with its number and the version. */
static int
count_step(struct echod_step *s)
{
	const char *end = s->in_len == 0 ? NULL
					 : memchr(s->in, '\n', s->in_len);
	count_state *state = s->state;
	unsigned long lines;

	if (s->event == ECHOD_EOF)
		return ECHOD_FINISH;
	if (end == NULL) {
		if ((s->flags & ECHOD_FULL) != 0)
			s->consume = s->in_len;
		return ECHOD_WAIT;
	}
	lines = (unsigned long)++state->lines;
	s->consume = (size_t)(end - s->in) + 1;
	s->write = (size_t)snprintf(s->out, s->out_max,
	    "%lu v" COUNT_TEXT(COUNT_VERSION) "\n", lines);
	return ECHOD_WAIT;
}

#ifdef COUNT_MIGRATES
static int
count_migrate(uint32_t from, const void *old, size_t old_size, void *state)
{
	const struct count_one *one = old;
	struct count_two *two = state;

	if (from != 1 || old_size != sizeof(*one))
		return -1;
	two->magic = 2;
	two->lines = one->lines;
	return 0;
}
#endif

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "count",
	.version = COUNT_TEXT(COUNT_VERSION) ".0",
	.state_version = COUNT_VERSION,
	.state_size = sizeof(count_state),
	.in_max = COUNT_IN,
	.out_max = 64,
	.step = count_step,
#ifdef COUNT_MIGRATES
	.migrate = count_migrate,
#endif
};
