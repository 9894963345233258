/* SPDX-License-Identifier: ISC */
/*
 * The signals that the master records.
 */
#include "master/recorded.h"

#include <signal.h>
#include <unistd.h>

#include "lib/signals.h"
#include "shared/outcome.h"

/* SIGRTMIN is no constant. */
static const int *
recorded_list(void)
{
	static int list[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1,
		SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD, 0, 0 };

	list[sizeof(list) / sizeof(int) - 2] = OUTCOME_SIGNAL;
	return list;
}

void
recorded_choose(void)
{
	signals_choose(recorded_list());
}

void
recorded_pass_on(void)
{
	int asker;

	while (signals_take_value(OUTCOME_SIGNAL, &asker))
		(void)sigqueue(getpid(), OUTCOME_SIGNAL,
		    (union sigval){ .sival_int = asker });
	for (const int *signo = recorded_list(); *signo != 0; signo++)
		if (signals_take(*signo) > 0 && *signo < SIGRTMIN)
			(void)kill(getpid(), *signo);
}
