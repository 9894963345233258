/* SPDX-License-Identifier: ISC */
/*
 * When a worker leaves.
 *
 * A worker judges by levels: the pidfds of the two seats, the generation, and
 * its parent.  A signal could be lost, and a tracer could keep it.
 */
#include "worker/leave.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signals.h"

/* Rounds between two looks for signals that epoll_pwait(2) had no time for. */
#define SIGNAL_ROUNDS 256
/* Time between two looks at the parent where the master's pidfd cannot be
 * watched, ms. */
#define PARENT_MS 1000
/* Time between two looks while the master is gone and its standby is not the
 * master yet, ms. */
#define DOUBT_MS 100

static void
leave_look_again(struct worker *w, uint64_t ms)
{
	timer_set(&w->timers, TIMER_PARENT, clock_ms() + ms);
}

static void
leave_watch(struct leave *l, struct worker *w)
{
	l->state = LEAVE_ATTENDED;
	if (events_watch_master(&w->events, w->place.seat[l->generation % 2]))
		timer_clear(&w->timers, TIMER_PARENT);
	else
		leave_look_again(w, PARENT_MS);
}

void
leave_begin(struct leave *l, struct worker *w)
{
	l->generation = w->place.generation;
	leave_watch(l, w);
}

/* True if nobody has the seat.  A number that is no descriptor any more was
 * closed by an intruder. */
static bool
leave_is_empty(const struct worker *w, unsigned seat)
{
	struct pollfd p = { w->place.seat[seat], POLLIN, 0 };
	int n;

	while ((n = poll(&p, 1, 0)) == -1 && errno == EINTR)
		;
	return p.fd == 0 || n != 0;
}

/* A stop, in order and with its deadline. */
static void
leave_stop(struct leave *l, struct worker *w, const char *why)
{
	l->state = LEAVE_ALONE;
	timer_clear(&w->timers, TIMER_PARENT);
	log_warnx("the master (pid %ld) is gone%s: stopping",
	    (long)w->place.master, why);
	arena_stop(w->arena,
	    clock_ms() + (uint64_t)w->config->shutdown_timeout * 1000);
}

/* The master that has made this worker is gone. */
static void
leave_judge(struct leave *l, struct worker *w)
{
	unsigned generation = atomic_load(&w->arena->header->generation);
	uint64_t now = clock_ms();

	if (leave_is_empty(w, 0) && leave_is_empty(w, 1)) {
		leave_stop(l, w, "");
		return;
	}
	if (generation != l->generation) {
		l->generation = generation;
		leave_watch(l, w);
		return;
	}
	if (!leave_is_empty(w, generation % 2)) {
		leave_watch(l, w);
		return;
	}
	if (l->state != LEAVE_DOUBT) {
		l->state = LEAVE_DOUBT;
		l->since = now;
	}
	if (now - l->since >= (uint64_t)w->config->shutdown_timeout * 1000)
		leave_stop(l, w, " and nobody takes its place");
	else
		leave_look_again(w, DOUBT_MS);
}

void
leave_look(struct leave *l, struct worker *w)
{
	if (l->state == LEAVE_ALONE)
		return;
	/* The pidfd reports a death, but the parent lives: the number is
	 * another descriptor by now, or there is no pidfd. */
	if (getppid() == w->place.master)
		leave_look_again(w, PARENT_MS);
	else
		leave_judge(l, w);
}

/*
 * SIGTERM means: look again.  Either a stop has begun; or master and standby
 * are gone; or this process leaves between two operations, and another process
 * takes the slot.  A worker that never sleeps would not receive the signal: it
 * looks for the signal now and then.
 */
bool
leave_told(struct leave *l, struct worker *w)
{
	bool told = atomic_load_explicit(&w->slot->leave,
			memory_order_relaxed) != 0;

	if (++l->rounds % SIGNAL_ROUNDS == 0 && signals_pending(SIGTERM))
		told = true;
	if (l->state == LEAVE_DOUBT)
		leave_look(l, w);
	if ((signals_take(SIGTERM) == 0 && !told) ||
	    arena_stop_deadline(w->arena) != 0)
		return false;
	leave_look(l, w);
	return l->state != LEAVE_ALONE;
}
