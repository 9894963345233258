/* SPDX-License-Identifier: ISC */
/*
 * Raw echo (RFC 862): all input is echoed at once.
 */
#include "handler/handler.h"

static int
raw_step(struct echod_step *s)
{
	s->consume = s->pass = s->in_len;
	return ECHOD_WAIT;
}

const struct echod_handler handler_raw = {
	.abi = ECHOD_ABI,
	.size = sizeof(handler_raw),
	.name = "raw",
	.version = PACKAGE_VERSION,
	.in_max = ECHOD_IN_LIMIT,
	.out_max = 1,
	.step = raw_step,
	.probe = "echod --check\n",
	.probe_size = 14,
	.answer = "echod --check\n",
	.answer_size = 14,
};
