/* SPDX-License-Identifier: ISC */
/*
 * A handler without a server: no death, no partial send, all input at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"

struct run {
	const struct echod_handler *h;
	const char *in;
	size_t left;
	bool end, opened, ended;
	size_t seen; /* of what is left */
	uint64_t wake, now;
	int next;
};

static uint32_t
event_of(const struct run *run)
{
	size_t shown = run->left < run->h->in_max ? run->left : run->h->in_max;

	if (!run->opened)
		return ECHOD_OPEN;
	if (run->next == ECHOD_AGAIN)
		return ECHOD_MORE;
	if (shown > run->seen)
		return ECHOD_DATA;
	if (run->wake != 0)
		return ECHOD_TIMER;
	return run->end && !run->ended ? ECHOD_EOF : 0;
}

static void
emit(struct reference *r, const char *from, size_t n)
{
	if (r->length + n > sizeof(r->out)) {
		fprintf(stderr, "the reference has no end\n");
		exit(1);
	}
	for (size_t i = 0; i < n; i++)
		r->out[r->length++] = from[i];
}

void
reference_run(const struct echod_handler *h, const char *in, size_t n, bool end,
    struct reference *r)
{
	static const struct echod_peer peer = { 0 };
	_Alignas(64) char state[64] = { 0 };
	_Alignas(64) char out[64];
	struct run run = { .h = h, .in = in, .left = n, .end = end, .now = 1 };
	uint32_t event;

	r->length = 0;
	r->finished = false;
	while (!r->finished && (event = event_of(&run)) != 0) {
		struct echod_step s = { .event = event,
			.peer = &peer,
			.in = run.in,
			.in_len = run.left < h->in_max ? run.left : h->in_max,
			.state = state,
			.out = out,
			.out_max = h->out_max,
			.wake_ms = event == ECHOD_TIMER ? 0 : run.wake };

		s.now_ms = run.now += event == ECHOD_TIMER ? 1000 : 0;
		if (s.in_len == h->in_max)
			s.flags |= ECHOD_FULL;
		if (end && s.in_len == run.left)
			s.flags |= ECHOD_LAST;
		run.next = h->step(&s);
		if (run.next < ECHOD_WAIT || run.next >= ECHOD_ABORT)
			break;
		run.opened = true;
		run.ended = run.ended || event == ECHOD_EOF;
		run.wake = s.wake_ms;
		emit(r, out, s.write);
		emit(r, run.in + s.consume - s.pass, s.pass);
		run.in += s.consume;
		run.left -= s.consume;
		if (s.consume > 0)
			run.seen = 0;
		else if (event == ECHOD_DATA)
			run.seen = s.in_len;
		r->finished = run.next == ECHOD_FINISH ||
		    (run.next == ECHOD_WAIT && run.ended);
	}
	r->left = run.left;
}
