/* SPDX-License-Identifier: ISC */
/*
 * The timers of a worker: one minimum of all, and each timer fires once.
 */
#include "tap.h"
#include "worker/timers.h"

static void
test_minimum(void)
{
	struct timers t;
	bool good = true;

	timers_init(&t);
	ok(timers_next(&t) == CLOCK_NEVER, "no timer is set at first");
	for (unsigned i = 0; i < TIMERS; i++) {
		timer_set(&t, i, 100 + i);
		good = good && timers_next(&t) == 100;
	}
	for (unsigned i = 0; i < TIMERS; i++) {
		good = good && timers_next(&t) == 100 + i;
		timer_clear(&t, i);
	}
	ok(good && timers_next(&t) == CLOCK_NEVER,
	    "the earliest of all timers is next, whichever it is");
}

static void
test_take(void)
{
	struct timers t;

	timers_init(&t);
	ok(!timer_take(&t, TIMER_IDLE, CLOCK_NEVER - 1),
	    "a timer that is not set is never due");
	timer_set(&t, TIMER_IDLE, 50);
	ok(!timer_take(&t, TIMER_IDLE, 49) && timer_is_set(&t, TIMER_IDLE),
	    "before its time a timer is not due");
	ok(timer_take(&t, TIMER_IDLE, 50) && !timer_is_set(&t, TIMER_IDLE) &&
		!timer_take(&t, TIMER_IDLE, 60),
	    "at its time a timer is due, once");
	timer_set(&t, TIMER_IDLE, 0);
	ok(timer_take(&t, TIMER_IDLE, 0), "0 is at once");
}

static void
test_sooner(void)
{
	struct timers t;
	uint64_t at;

	timers_init(&t);
	timer_sooner(&t, TIMER_MEMORY, 70);
	timer_sooner(&t, TIMER_MEMORY, 80);
	ok(t.at[TIMER_MEMORY] == 70, "sooner: the earlier time stays");
	timer_sooner(&t, TIMER_MEMORY, 60);
	ok(t.at[TIMER_MEMORY] == 60, "sooner: an earlier time is taken");
	timer_start(&t, TIMER_TRIM, 1000);
	at = t.at[TIMER_TRIM];
	ok(at >= clock_ms() && at <= clock_ms() + 1000,
	    "started: so many ms from now");
	timer_start(&t, TIMER_TRIM, 1);
	ok(t.at[TIMER_TRIM] == at, "started again: the first time stays");
}

int
main(void)
{
	test_minimum();
	test_take();
	test_sooner();
	return tap_done();
}
