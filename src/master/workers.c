/* SPDX-License-Identifier: ISC */
/*
 * The workers as a whole: all started, and all killed.
 */
#include "master/workers.h"

#include <signal.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "master/notify.h"
#include "master/reap.h"
#include "master/recorded.h"
#include "master/scaling.h"
#include "master/sleep.h"
#include "master/spawn.h"
#include "master/start/pidfile.h"
#include "master/stop.h"
#include "standby/standby.h"

/* A worker that does not serve after this time never will, ms. */
#define WORKERS_PATIENCE 10000
/* The longest sleep while workers are waited for: a wake-up may be lost, ms. */
#define WORKERS_LOOK_AGAIN 100
/* Deaths in a row before a worker serves.  If a slot has so many, a program
 * that takes over gives back. */
#define WORKERS_TRIES 3

unsigned
workers_ready(const struct master *m)
{
	unsigned n = 0;

	for (unsigned k = 0; k < m->service->workers; k++)
		n += atomic_load(&m->arena.slot[k].state) == SLOT_READY;
	return n;
}

void
workers_kill(struct master *m)
{
	m->stop.phase = STOP_DRAINING; /* so that none is replaced */
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0)
			child_signal(&m->child[k], SIGKILL);
	for (unsigned k = 0; k < m->service->workers; k++)
		while (m->child[k].pid != 0) {
			sleep_until(m, clock_ms() + WORKERS_LOOK_AGAIN);
			reap(m);
		}
}

/* The slots are as the workers before left them.  What these said to their
 * master and to each other is void; slots beyond the wanted ones have no worker
 * any more. */
static void
workers_inherit_slots(struct master *m, unsigned wanted)
{
	struct arena_header *h = m->arena.header;

	atomic_store(&h->admission, 0);
	atomic_store(&h->watching, 0);
	atomic_store(&h->copied, 0);
	for (unsigned k = 0; k < m->service->workers; k++) {
		struct slot *s = &m->arena.slot[k];

		atomic_store(&s->pid, m->child[k].pid);
		atomic_store(&s->adopt, 0);
		if (k < wanted)
			continue;
		m->child[k].retiring = true;
		m->child[k].respawn_at = CLOCK_NEVER;
		atomic_store(&s->state, SLOT_UNATTENDED);
	}
}

/* True if workers of a slot die before they serve.  At a start one death is
 * enough.  At an upgrade it is not: a user may be killing workers right now,
 * and the service must not end for that. */
static bool
workers_cannot_start(const struct master *m, bool upgrade)
{
	for (unsigned k = 0; k < m->config->workers; k++)
		if (upgrade ? m->child[k].failed_starts >= WORKERS_TRIES
			    : m->child[k].pid == 0)
			return true;
	return false;
}

int
workers_start(struct master *m, bool upgrade)
{
	uint64_t deadline = clock_ms() + WORKERS_PATIENCE;
	unsigned wanted = m->config->workers, ready = 0;
	bool failed = false;
	int stop = 0;

	recorded_choose();
	if (spawn_prepare(m) == -1) {
		log_warn("descriptors for %u workers", wanted);
		return -1;
	}
	/* A standby that takes the master's place before workers serve goes on
	 * here.  Later there is nothing left to do. */
	if (standby_make(m) && m->started)
		return 0;
	/*
	 * From here on, this program accepts, closes and writes.  The standby
	 * of the program before has the former table of descriptors: a client
	 * that is closed here would get its FIN only when that table is gone.
	 * Until now that standby went on with the program before if this one
	 * died.
	 */
	standby_end_before(m);
	if (upgrade && pidfile_hold(m->pidfile) == -1)
		log_warn("pidfile %s: its lock is lost", m->pidfile->path);
	oom_begin(&m->oom);
	deadline = clock_ms() + WORKERS_PATIENCE;
	if (upgrade)
		workers_inherit_slots(m, wanted);
	for (unsigned k = 0; k < wanted && !failed; k++)
		/* At an upgrade clients wait: a shortage that lasts a moment
		 * must not end a service that runs. */
		failed = m->child[k].pid == 0 && spawn(m, k) == -1 && !upgrade;
	while (!failed && (ready = workers_ready(m)) < wanted &&
	    clock_ms() < deadline) {
		const uint64_t timers[] = { deadline,
			clock_ms() + WORKERS_LOOK_AGAIN, spawn_next(m) };

		sleep_until(m, clock_earliest(timers, 3));
		reap_later(m);
		log_step();
		notify_step(m);
		failed = workers_cannot_start(m, upgrade);
		if (stop == 0)
			stop = stop_asked();
		if (upgrade) {
			scaling_step(m);
			spawn_due(m);
		} else
			failed = failed || stop != 0;
	}
	if (ready == wanted) {
		if (stop != 0)
			stop_request(m, signals_name(stop));
		return 0;
	}
	standby_end(m);
	workers_kill(m);
	if (stop != 0)
		(void)kill(getpid(), stop);
	if (upgrade)
		recorded_pass_on();
	log_warnx("only %u of %u workers became ready: giving up", ready,
	    wanted);
	return -1;
}
