/* SPDX-License-Identifier: ISC */
/*
 * Discard (RFC 863): all input is dropped.
 */
#include "handler/handler.h"

static int
discard_step(struct echod_step *s)
{
	s->consume = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler handler_discard = {
	.abi = ECHOD_ABI,
	.size = sizeof(handler_discard),
	.name = "discard",
	.version = PACKAGE_VERSION,
	.in_max = ECHOD_IN_LIMIT,
	.out_max = 1,
	.step = discard_step,
	.probe = "echod --check\n",
	.probe_size = 14,
	.answer = "",
};
