/* SPDX-License-Identifier: ISC */
/*
 * What the parts of echod-handler-test share: findings, and words for them.
 */
#include "handler-test/tester.h"

#include <stdarg.h>
#include <stdio.h>

struct shared *tester;

void
tester_found(enum promise promise, uint32_t event, const char *fmt, ...)
{
	struct finding *f = &tester->finding[promise];
	va_list ap;

	if (f->found)
		return;
	f->event = event;
	va_start(ap, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, ap);
	va_end(ap);
	f->found = true;
}

bool
tester_broken(enum promise promise)
{
	return tester->finding[promise].found;
}

const char *
tester_promise(enum promise promise)
{
	static const char *const words[PROMISES] = {
		[PROMISE_CUT] = "the same output however the input is cut",
		[PROMISE_REPEAT] = "a repeated DATA changes nothing",
		[PROMISE_REDO] = "a step that is made again does the same",
		[PROMISE_KILL] = "the same output whatever dies",
		[PROMISE_END] = "it ends after the end of the input",
		[PROMISE_FULL] = "it does not wait for input if no more fits",
		[PROMISE_BOUNDS] = "it stays within its memory",
		[PROMISE_MOVED] = "the state is all that it keeps",
		[PROMISE_TIMER] = "a late timer is a timer",
		[PROMISE_CALLS] =
		    "a step ends, with an answer and without a system call",
		[PROMISE_MIGRATE] = "migrate() converts a state, or refuses it",
	};

	return words[promise];
}

const char *
tester_event(uint32_t event)
{
	static const char *const names[] = {
		[0] = "-",
		[ECHOD_OPEN] = "OPEN",
		[ECHOD_DATA] = "DATA",
		[ECHOD_MORE] = "MORE",
		[ECHOD_TIMER] = "TIMER",
		[ECHOD_EOF] = "EOF",
	};

	return event <= ECHOD_EOF ? names[event] : "?";
}

uint64_t
tester_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dU >> 16;
}
