/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing the built-in handlers: whatever the splits, what goes back is what
 * came; what is held is bounded; a step that is made again does the same;
 * discard gives nothing.
 *
 * Input: the handler, the most that it may hold, then segments, each a length
 * and so many bytes.
 */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "handler/contract.h"
#include "handler/handler.h"

#define MOST 4096

/* A connection as serve.c drives it. */
static struct {
	struct echod_handler handler; /* with another in_max */
	char in[MOST], out[MOST];
	size_t got, taken, seen, given;
	bool end;
} run;

/* Make a step with the input that is there, in memory with bounds of its own.
 * `seen` is a hint: the step is made again without it. */
static struct echod_step
rule(uint32_t event, size_t shown)
{
	static const struct echod_peer peer = { 0 };
	char out[1], *in = malloc(shown > 0 ? shown : 1);
	struct echod_step s, again;
	int answer;

	must(in != NULL);
	memcpy(in, run.in + run.taken, shown);
	s = (struct echod_step){ .event = event,
		.flags = (shown == run.handler.in_max ? ECHOD_FULL : 0) |
		    (run.end && run.taken + shown == run.got ? ECHOD_LAST : 0),
		.peer = &peer,
		.in = in,
		.in_len = shown,
		.in_seen = run.seen > run.taken ? run.seen - run.taken : 0,
		.out = out,
		.out_max = sizeof(out) };
	if (s.in_seen > shown)
		s.in_seen = shown;
	again = s;
	again.in_seen = 0;
	answer = run.handler.step(&s);
	must(answer == run.handler.step(&again));
	must(s.consume == again.consume && s.pass == again.pass);
	must(contract_broken(&run.handler, &s, answer) == NULL);
	must(answer == ECHOD_WAIT && s.write == 0);
	free(in);
	return s;
}

static void
settle(void)
{
	bool ended = false;

	for (;;) {
		size_t shown = run.got - run.taken;
		struct echod_step s;
		uint32_t event = ECHOD_DATA;

		if (shown > run.handler.in_max)
			shown = run.handler.in_max;
		if (run.taken + shown <= run.seen || shown == 0) {
			if (!run.end || ended)
				return;
			event = ECHOD_EOF;
			ended = true;
		}
		s = rule(event, shown);
		memcpy(run.out + run.given,
		    run.in + run.taken + s.consume - s.pass, s.pass);
		run.given += s.pass;
		if (s.consume == 0)
			run.seen = run.taken + shown;
		run.taken += s.consume;
	}
}

/* As much as there is room for at a time. */
static void
feed(const uint8_t *data, size_t n)
{
	while (n > 0) {
		size_t room = run.handler.in_max - (run.got - run.taken);
		size_t part = n < room ? n : room;

		must(room > 0);
		memcpy(run.in + run.got, data, part);
		run.got += part;
		settle();
		data += part;
		n -= part;
	}
}

static void
check(unsigned which)
{
	const char *last;

	if (which == 2) {
		must(run.given == 0 && run.taken == run.got);
		return;
	}
	must(run.given == run.taken);
	must(memcmp(run.out, run.in, run.given) == 0);
	must((!run.end && which != 1) || run.taken == run.got);
	last = memrchr(run.in, '\n', run.got);
	must(last == NULL || run.given > (size_t)(last - run.in));
}

int
fuzz_handler(const uint8_t *data, size_t size)
{
	static const struct echod_handler *const handlers[] = { &handler_echo,
		&handler_raw, &handler_discard };
	unsigned which;

	if (size < 2)
		return 0;
	memset(&run, 0, sizeof(run));
	which = data[0] % 3;
	run.handler = *handlers[which];
	run.handler.in_max = 1 + (uint32_t)data[1];
	data += 2;
	size -= 2;
	while (size > 0) {
		size_t n = *data++;

		size--;
		if (n > size)
			n = size;
		if (run.got + n > MOST)
			break;
		feed(data, n);
		check(which);
		data += n;
		size -= n;
	}
	run.end = true;
	settle();
	check(which);
	return 0;
}
