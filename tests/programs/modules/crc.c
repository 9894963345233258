/* SPDX-License-Identifier: ISC */
/*
 * A module that answers each byte with one that depends on all bytes before it:
 * a client sees from its own bytes alone whether each of them had its effect
 * exactly once.  Two versions of it have states of another size and order, and
 * each converts the state of the other.
 */
#include <string.h>

#include "echod/handler.h"

#ifndef CRC_VERSION
#define CRC_VERSION 1
#endif

struct crc_one {
	uint32_t sum, inverse;
};

/* Large, and all of it changes in each step. */
struct crc_two {
	unsigned char filling[3000];
	uint32_t inverse, sum;
};

#if CRC_VERSION == 1
typedef struct crc_one crc_state;
typedef struct crc_two crc_other;
#define CRC_NAME_VERSION "1.0"
#else
typedef struct crc_two crc_state;
typedef struct crc_one crc_other;
#define CRC_NAME_VERSION "2.0"
#endif

static void
crc_seal(crc_state *state, uint32_t sum)
{
	state->sum = sum;
	state->inverse = ~sum;
#if CRC_VERSION == 2
	memset(state->filling, (int)(sum & 0xff), sizeof(state->filling));
#endif
}

/* A state that is half an old one is found out. */
static int
crc_is_whole(const crc_state *state)
{
#if CRC_VERSION == 2
	for (size_t i = 0; i < sizeof(state->filling); i++)
		if (state->filling[i] != (state->sum & 0xff))
			return 0;
#endif
	return state->inverse == ~state->sum;
}

static int
crc_step(struct echod_step *s)
{
	crc_state *state = s->state;
	uint32_t sum;

	if (s->event == ECHOD_OPEN)
		crc_seal(state, 0);
	if (!crc_is_whole(state))
		return -1;
	sum = state->sum;
	for (size_t i = 0; i < s->in_len; i++) {
		sum = (sum ^ (unsigned char)s->in[i]) * UINT32_C(16777619) + 1;
		s->out[i] = (char)(sum >> 24);
	}
	s->consume = s->write = s->in_len;
	crc_seal(state, sum);
	return ECHOD_WAIT;
}

static int
crc_migrate(uint32_t from, const void *old, size_t old_size, void *state)
{
	const crc_other *other = old;

	if (from != 3 - CRC_VERSION || old_size != sizeof(*other) ||
	    other->inverse != ~other->sum)
		return -1;
	crc_seal(state, other->sum);
	return 0;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "crc",
	.version = CRC_NAME_VERSION,
	.state_version = CRC_VERSION,
	.state_size = sizeof(crc_state),
	.in_max = ECHOD_IN_LIMIT,
	.out_max = ECHOD_OUT_LIMIT,
	.step = crc_step,
	.migrate = crc_migrate,
};
