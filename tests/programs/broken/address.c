/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 8: its state holds an address in the module.
 */
#include "echod/handler.h"

#include <string.h>

static int
address_step(struct echod_step *s)
{
	const char **answer = s->state;

	if (s->event == ECHOD_OPEN)
		*answer = "what?\n";
	s->consume = s->in_len;
	for (size_t i = 0; i < s->in_len && s->write + 6 <= s->out_max; i++)
		if (s->in[i] == '\n') {
			memcpy(s->out + s->write, *answer, 6);
			s->write += 6;
		}
	return ECHOD_WAIT;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "address",
	.version = "1",
	.state_size = sizeof(const char *),
	.in_max = 64,
	.out_max = 64,
	.step = address_step,
};
