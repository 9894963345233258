/* SPDX-License-Identifier: ISC */
/*
 * The master's loop: the list of all that the master does.  Signals are only
 * recorded when they come; each round acts on them, lets each module take its
 * step, and sleeps until the first of them has something to do.
 */
#include "master/loop.h"

#include <signal.h>

#include "lib/exit_status.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "master/admin_child.h"
#include "master/handlers.h"
#include "master/notify.h"
#include "master/publish.h"
#include "master/reap.h"
#include "master/sample.h"
#include "master/scaling.h"
#include "master/sleep.h"
#include "master/spawn.h"
#include "master/workers.h"
#include "master/stop.h"
#include "master/upgrade/reload.h"
#include "standby/standby.h"

/* A slot whose workers died so many times in a row before they served has no
 * hope. */
#define LOOP_FAILED_STARTS_MAX 6

static bool
loop_is_daemon(const struct master *m)
{
	return m->config->daemonize || m->config->supervised != SUPERVISED_NO;
}

static void
loop_reopen_log(const char *why)
{
	if (log_path()[0] == '\0')
		log_notice("%s: there is no log file to reopen", why);
	else if (log_reopen() == 0)
		log_notice("%s: log file reopened", why);
}

/* The next program sets the number of workers anew. */
static bool
loop_may_resize(const struct master *m)
{
	return m->stop.phase == STOP_NONE && m->reload.phase != RELOAD_LEAVING;
}

/* Neither a stop nor a reload is working with the listeners. */
static bool
loop_may_change_listeners(const struct master *m)
{
	return m->stop.phase == STOP_NONE && m->reload.phase == RELOAD_NONE &&
	    m->service->dropped == 0;
}

static void
loop_take_signals(struct master *m)
{
	int asker, signo;

	while ((signo = stop_asked()) != 0)
		stop_request(m, signals_name(signo));
	if (signals_take(SIGHUP) > 0) {
		/* A terminal that hangs up ends the program that runs on it.  A
		 * daemon has no terminal. */
		if (!loop_is_daemon(m))
			stop_request(m, "SIGHUP");
		else
			reload_request(m, "SIGHUP");
	}
	if (signals_take(SIGUSR2) > 0)
		reload_request(m, "SIGUSR2");
	(void)signals_take(OUTCOME_SIGNAL);
	while (signals_take_value(OUTCOME_SIGNAL, &asker))
		(void)reload_request_by(m, "echod -s reload", asker);
	if (signals_take(SIGUSR1) > 0)
		loop_reopen_log("SIGUSR1");
	if (signals_take(SIGTTIN) > 0 && loop_may_resize(m))
		scaling_grow(m, "SIGTTIN");
	if (signals_take(SIGTTOU) > 0 && loop_may_resize(m))
		scaling_shrink(m, "SIGTTOU");
	(void)signals_take(SIGCHLD); /* reap() looks in any case */
}

/* True if no worker serves and no slot has hope. */
static bool
loop_is_hopeless(const struct master *m)
{
	if (workers_ready(m) > 0 || m->stop.phase != STOP_NONE ||
	    m->reload.phase == RELOAD_LEAVING)
		return false;
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].failed_starts < LOOP_FAILED_STARTS_MAX)
			return false;
	return true;
}

/* When the first module has something to do, clock_ms(). */
static uint64_t
loop_next(const struct master *m)
{
	const uint64_t timers[] = {
		stop_next(m),
		reload_next(m),
		drop_next(&m->drop, m->service),
		spawn_next(m),
		watchdog_next(&m->watchdog),
		log_next(),
		notify_next(&m->notify),
		sample_next(m->config, m->service),
		admin_child_next(m),
		m->reload.phase != RELOAD_LEAVING ? standby_next(m)
						  : CLOCK_NEVER,
		m->reload.phase != RELOAD_LEAVING ? handlers_next(m)
						  : CLOCK_NEVER,
		loop_may_change_listeners(m) ? late_next(&m->late)
					     : CLOCK_NEVER,
	};

	return clock_earliest(timers, sizeof(timers) / sizeof(timers[0]));
}

int
loop_run(struct master *m)
{
	m->started = true;
	for (;;) {
		loop_take_signals(m);
		reap_later(m);
		if (m->reload.phase != RELOAD_LEAVING) {
			/* First of all: clients wait for their next worker. */
			spawn_due(m);
			reap(m);
		}
		if (stop_step(m))
			break;
		if (loop_is_hopeless(m)) {
			log_warnx("no worker lives long enough to serve: "
				  "giving up");
			standby_end(m);
			workers_kill(m);
			admin_child_end(m);
			return EXIT_NOT_STARTED;
		}
		drop_step(&m->drop, &m->arena, m->service);
		reload_step(m);
		if (m->reload.phase != RELOAD_LEAVING) {
			spawn_due(m);
			scaling_step(m);
			/* A standby that takes the master's place goes on
			 * here. */
			if (standby_step(m))
				continue;
		}
		/* After the workers, which clients wait for, and before what
		 * tells of the state that a request may change. */
		admin_child_step(m);
		if (m->reload.phase != RELOAD_LEAVING)
			handlers_step(m);
		watchdog_step(&m->watchdog, m->config, &m->arena,
		    m->service->workers, m->child);
		log_step();
		notify_step(m);
		publish_state(m);
		sample_step(m->config, &m->arena, m->service);
		if (loop_may_change_listeners(m))
			late_step(&m->late, &m->arena, m->service, m->config,
			    &m->wanted);
		sleep_until(m, loop_next(m));
	}
	standby_end(m);
	admin_child_end(m);
	log_step(); /* the last lines of the others */
	log_tell_losses();
	return stop_summary(m);
}
