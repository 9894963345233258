/* SPDX-License-Identifier: ISC */
/*
 * When a worker leaves.
 */
#include "worker/leave.h"

#include <signal.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signals.h"

/* Rounds between two looks for signals that epoll_pwait(2) had no time for. */
#define SIGNAL_ROUNDS 256
/* Time between two looks at the parent where the master's pidfd cannot be
 * watched, ms. */
#define PARENT_MS 1000

/*
 * True if the master is gone.  PR_SET_PDEATHSIG reports that by a signal, which
 * can be lost; the master's pidfd reports it as long as it is true.  Workers
 * then stop by themselves.
 */
static bool
leave_is_unattended(struct leave *l, struct worker *w)
{
	if (l->master == 0 || getppid() == l->master)
		return l->master == 0;
	events_drop_master(&w->events);
	timer_clear(&w->timers, TIMER_PARENT);
	log_warnx("the master (pid %ld) is gone: stopping", (long)l->master);
	l->master = 0;
	arena_stop(w->arena,
	    clock_ms() + (uint64_t)w->config->shutdown_timeout * 1000);
	return true;
}

/*
 * SIGTERM means: look again.  Either a stop has begun; or the master is gone
 * (its death sends the same signal); or this process leaves between two
 * operations, and another process takes the slot.  A worker that never sleeps
 * would not receive the signal: it looks for the signal now and then.
 */
bool
leave_told(struct leave *l, struct worker *w)
{
	bool told = atomic_load_explicit(&w->slot->leave,
			memory_order_relaxed) != 0;

	if (++l->rounds % SIGNAL_ROUNDS == 0 && signals_pending(SIGTERM))
		told = true;
	if ((signals_take(SIGTERM) == 0 && !told) ||
	    arena_stop_deadline(w->arena) != 0)
		return false;
	return !leave_is_unattended(l, w);
}

void
leave_look(struct leave *l, struct worker *w)
{
	if (leave_is_unattended(l, w))
		return;
	/* The pidfd reports a death, but the parent lives: the number is
	 * another descriptor by now. */
	events_drop_master(&w->events);
	timer_set(&w->timers, TIMER_PARENT, clock_ms() + PARENT_MS);
}
