/* SPDX-License-Identifier: ISC */
/*
 * A limit of the processor time that one step of a handler may take.
 */
#include "worker/step_limit.h"

#include <sys/time.h>

#include "lib/signals.h"

/* A step that is seen at two ticks is too long, us of the process's own time:
 * it has taken 250 to 500 ms. */
#define TICK_US 250000

static const volatile uint32_t *step_limit_stepping;
static uint32_t step_limit_seen;

/* SIGXCPU is blocked so far: kill(1) cannot pass for this. */
static void
step_limit_tick(int signo)
{
	uint32_t n = *step_limit_stepping;

	(void)signo;
	if (n % 2 == 1 && n == step_limit_seen) {
		(void)raise(SIGXCPU);
		signals_let(SIGXCPU, NULL);
	}
	step_limit_seen = n;
}

void
step_limit_begin(const struct worker *w)
{
	const struct itimerval tick = { .it_interval.tv_usec = TICK_US,
		.it_value.tv_usec = TICK_US };

	step_limit_stepping = &w->stepping;
	signals_let(SIGVTALRM, step_limit_tick);
	(void)setitimer(ITIMER_VIRTUAL, &tick, NULL);
}
