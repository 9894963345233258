/* SPDX-License-Identifier: ISC */
/*
 * Breaks promise 11: it copies a state of any version, and two bytes behind it.
 */
#include "echod/handler.h"

#include <string.h>

static int
migrate_step(struct echod_step *s)
{
	s->consume = s->in_len;
	return ECHOD_WAIT;
}

static int
migrate_state(uint32_t from, const void *old, size_t old_size, void *state)
{
	(void)from;
	memcpy((char *)state + 2, old, old_size);
	return 0;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "migrate",
	.version = "1",
	.state_size = 4,
	.in_max = 64,
	.out_max = 64,
	.step = migrate_step,
	.migrate = migrate_state,
};
