/* SPDX-License-Identifier: ISC */
/*
 * A module in C++ that echoes, and throws if a line begins with "throw".
 */
#include <cstring>
#include <stdexcept>

#include "echod/handler.h"

static int
throws_step(struct echod_step *s)
{
	if (s->in_len >= 5 && std::memcmp(s->in, "throw", 5) == 0)
		throw std::runtime_error("thrown");
	s->consume = s->pass = s->in_len;
	return s->event == ECHOD_EOF ? ECHOD_FINISH : ECHOD_WAIT;
}

static struct echod_handler
throws_make()
{
	struct echod_handler h = {};

	h.abi = ECHOD_ABI;
	h.size = sizeof(h);
	h.name = "throws";
	h.version = "1.0";
	h.in_max = h.out_max = 1024;
	h.step = throws_step;
	return h;
}

extern "C" {
extern const struct echod_handler echod_handler = throws_make();
}
