/* SPDX-License-Identifier: ISC */
/*
 * A limit of the processor time that one step of a handler may take.
 */
#include "worker/step_limit.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>

/* A step that is seen at two ticks is too long, us of the process's own time:
 * it has taken 250 to 500 ms. */
#define TICK_US 250000

static const volatile uint32_t *step_limit_stepping;
static uint32_t step_limit_seen;

static void
step_limit_let(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* SIGXCPU is blocked so far: kill(1) cannot pass for this. */
static void
step_limit_tick(int signo)
{
	uint32_t n = *step_limit_stepping;

	(void)signo;
	if (n % 2 == 1 && n == step_limit_seen) {
		(void)raise(SIGXCPU);
		step_limit_let(SIGXCPU);
	}
	step_limit_seen = n;
}

void
step_limit_begin(const struct worker *w)
{
	const struct itimerval tick = { .it_interval.tv_usec = TICK_US,
		.it_value.tv_usec = TICK_US };
	struct sigaction sa;

	step_limit_stepping = &w->stepping;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = step_limit_tick;
	sa.sa_flags = SA_RESTART;
	(void)sigaction(SIGVTALRM, &sa, NULL);
	step_limit_let(SIGVTALRM);
	(void)setitimer(ITIMER_VIRTUAL, &tick, NULL);
}
