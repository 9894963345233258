/* SPDX-License-Identifier: ISC */
/*
 * RESP: the protocol of Redis, versions 2 and 3, without its data.  For
 * clients, libraries and load balancers that want to be answered.
 *
 * It teaches: pipelining, messages that are longer than any buffer, and
 * positions in the state.  One step executes all commands that have arrived and
 * for which there is room.
 */
#include "resp.h"

static int
resp_step(struct echod_step *s)
{
	struct resp r = { .step = s, .state = s->state };
	int next;

	if (s->event == ECHOD_OPEN)
		client_open(&r);
	do {
		if (s->consume == s->in_len)
			return ECHOD_WAIT;
		/* Before a command, since a reply is whole. */
		if (s->out_max - s->write < RESP_REPLY_MAX)
			return ECHOD_AGAIN;
		next = parse_item(&r);
	} while (next == RESP_ON);
	return next;
}

const struct echod_handler echod_handler = {
	.abi = ECHOD_ABI,
	.size = sizeof(struct echod_handler),
	.name = "resp",
	.version = "1",
	.state_version = 1,
	.state_size = sizeof(struct resp_state),
	.in_max = RESP_IN_MAX,
	.out_max = RESP_OUT_MAX,
	.step = resp_step,
	.probe = "PING\r\n",
	.probe_size = 6,
	.answer = "+PONG\r\n",
	.answer_size = 7,
};
