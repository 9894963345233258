/* SPDX-License-Identifier: ISC */
/*
 * Time (RFC 868): the seconds since 1900 in 32 bits, then the end.
 *
 * It teaches: the smallest handler there is, and output that is not text.
 */
#include "echod/handler.h"

/* The first second of 1970, counted from 1900 (RFC 868). */
#define TIME_1970 2208988800u

static int
time_step(struct echod_step *s)
{
	/* The clock comes from echod: a step needs no system call.  In 2036 the
	 * number starts again at 0, as the RFC says. */
	uint32_t now = (uint32_t)(s->unix_ms / 1000 + TIME_1970);

	/* Network order, on every machine. */
	for (unsigned n = 0; n < sizeof(now); n++)
		s->out[n] = (char)(now >> (24 - 8 * n));
	s->write = sizeof(now);
	return ECHOD_FINISH;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "time",
	.version = "1",
	.in_max = 1,
	.out_max = sizeof(uint32_t),
	.step = time_step,
};
