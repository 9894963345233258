/* SPDX-License-Identifier: ISC */
/*
 * A handler that keeps its promises: a sum of all bytes so far, after each
 * newline.  Its state is what each byte has its effect on exactly once.
 */
#include "echod/handler.h"

#include <stdio.h>

struct sum {
	uint32_t sum, bytes;
};

static int
sum_step(struct echod_step *s)
{
	struct sum *sum = s->state;

	while (s->consume < s->in_len) {
		unsigned char c = (unsigned char)s->in[s->consume++];

		sum->sum = sum->sum * 31 + c;
		sum->bytes++;
		if (c != '\n')
			continue;
		s->write = (size_t)snprintf(s->out, s->out_max, "%u %08x\n",
		    sum->bytes, sum->sum);
		return s->consume < s->in_len ? ECHOD_AGAIN : ECHOD_WAIT;
	}
	return ECHOD_WAIT;
}

static int
sum_migrate(uint32_t from, const void *old, size_t old_size, void *state)
{
	(void)from;
	(void)old;
	(void)old_size;
	(void)state;
	return -1;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "sum",
	.version = "1",
	.state_size = sizeof(struct sum),
	.in_max = 100,
	.out_max = 32,
	.step = sum_step,
	.migrate = sum_migrate,
};
