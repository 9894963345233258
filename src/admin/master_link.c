/* SPDX-License-Identifier: ISC */
/*
 * The way to the master.
 */
#include "admin/master_link.h"

#include "lib/log.h"

static struct {
	int fd;
	pid_t master;
	uint32_t sequence; /* of the last request */
	bool finishing, gone;
} state = { .fd = -1 };

void
master_link_begin(int fd, pid_t master)
{
	state.fd = fd;
	state.master = master;
}

int
master_link_watch(void)
{
	return state.gone ? -1 : state.fd;
}

static int
master_link_send(enum request_kind kind, uint32_t sequence, uid_t uid,
    uint64_t argument, uint32_t place)
{
	const struct request r = { .kind = kind,
		.sequence = sequence,
		.uid = (uint32_t)uid,
		.place = place,
		.argument = argument };

	return request_send(state.fd, &r, sizeof(r));
}

uint32_t
master_link_ask(enum request_kind kind, uid_t uid, uint64_t argument,
    uint32_t place)
{
	state.sequence = state.sequence % REQUEST_SEQUENCE_MAX + 1;
	return master_link_send(kind, state.sequence, uid, argument, place) == 0
	    ? state.sequence
	    : 0;
}

bool
master_link_take(struct message *answer)
{
	static struct log_rate_limit rate;
	unsigned missed;
	pid_t from = 0;

	while (!state.gone)
		switch (request_receive(state.fd, state.master, answer,
		    sizeof(*answer), &from)) {
		case RECEIVED_NOTHING:
			return false;
		case RECEIVED_END:
			state.gone = true;
			return false;
		case RECEIVED_FOREIGN:
			/* Workers have the master's end in their table. */
			if (log_rate_limit(&rate, &missed))
				log_warnx("process %ld is not the master: what "
					  "it says is ignored",
				    (long)from);
			break;
		case RECEIVED_IT:
			answer->text[sizeof(answer->text) - 1] = '\0';
			if (answer->kind == MESSAGE_PING)
				(void)master_link_send(REQUEST_PONG, 0, 0, 0,
				    0);
			else if (answer->kind == MESSAGE_FINISH)
				state.finishing = true;
			else
				return true;
		}
	return false;
}

bool
master_link_finishing(void)
{
	return state.finishing;
}

bool
master_link_gone(void)
{
	return state.gone;
}
