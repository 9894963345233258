/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 3: the count of lines is in memory of its own, and a step that
 * is made again counts a line again.
 */
#include "echod/handler.h"

#include <stdio.h>
#include <stdlib.h>

static int
redo_step(struct echod_step *s)
{
	uintptr_t *state = s->state;
	unsigned *lines = (unsigned *)~*state;

	if (*state == 0) {
		lines = calloc(1, sizeof(*lines));
		/* So that nobody sees an address in the state. */
		*state = ~(uintptr_t)lines;
	}
	if (s->in_len == 0)
		return ECHOD_WAIT;
	if (s->in[s->consume++] == '\n')
		s->write = (size_t)snprintf(s->out, s->out_max, "%u\n",
		    ++*lines);
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "redo",
	.version = "1",
	.state_size = sizeof(uintptr_t),
	.in_max = 64,
	.out_max = 64,
	.step = redo_step,
};
