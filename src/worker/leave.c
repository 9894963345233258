/* SPDX-License-Identifier: ISC */
/*
 * When a worker goes: it is told to, or its master is gone.
 */
#include "worker/leave.h"

#include <signal.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signals.h"
#include "worker/events.h"

/* Rounds between two looks for signals that epoll_pwait(2) had no time for. */
#define SIGNAL_ROUNDS 256
/* Between two looks whether the master is there, where it cannot be watched,
 * ms. */
#define PARENT_MS 1000

/*
 * The master's end: PR_SET_PDEATHSIG says so by a signal, which can be lost;
 * its pidfd says so for as long as that is so.  Workers stop by themselves
 * then.
 */
static bool
leave_is_unattended(struct worker *w)
{
	if (w->master == 0 || getppid() == w->master)
		return w->master == 0;
	events_drop_master(w);
	w->parent_at = CLOCK_NEVER;
	log_warnx("the master (pid %ld) is gone: stopping", (long)w->master);
	w->master = 0;
	arena_stop(w->arena,
	    clock_ms() + (uint64_t)w->config->shutdown_timeout * 1000);
	return true;
}

/*
 * SIGTERM means: look again.  There is a stop, or the master is gone (its
 * death sends the same signal), or this one process is to leave between two
 * operations; another will take the slot.  A worker that never sleeps would
 * not get the signal: it looks for it now and then.
 */
bool
leave_told(struct worker *w)
{
	bool told = atomic_load_explicit(&w->slot->leave,
			memory_order_relaxed) != 0;

	if (++w->looks % SIGNAL_ROUNDS == 0 && signals_pending(SIGTERM))
		told = true;
	if ((signals_take(SIGTERM) == 0 && !told) ||
	    arena_stop_deadline(w->arena) != 0)
		return false;
	return !leave_is_unattended(w);
}

void
leave_look(struct worker *w)
{
	if (leave_is_unattended(w))
		return;
	/* Its pidfd says otherwise: it is another descriptor by now. */
	events_drop_master(w);
	w->parent_at = clock_ms() + PARENT_MS;
}
