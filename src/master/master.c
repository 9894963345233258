/* SPDX-License-Identifier: ISC */
/*
 * The master's loop: reap, stop, reload, resize, replace, watch, rotate logs,
 * tell the service manager, answer, sleep.
 */
#include "master/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "master/sample.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "master/admin_child.h"
#include "master/listeners/late.h"
#include "master/notify.h"
#include "master/oom.h"
#include "master/reap.h"
#include "master/scaling.h"
#include "master/spawn.h"
#include "master/stop.h"
#include "master/upgrade/reload.h"
#include "master/watchdog.h"

/* Workers that do not serve by then never will, ms. */
#define START_PATIENCE 10000
/* How often is looked whether they do, at least, ms. */
#define WAKE_AGAIN 100
/* Deaths before serving after which a program that takes over gives back. */
#define START_TRIES 3
/* Deaths in a row before serving after which a slot is hopeless. */
#define FAILED_STARTS_MAX 6
/* Rounds the loop may make in one go; later no more than one in PACE ms. */
#define BURST 200
#define PACE 2

static const int stop_signals[] = { SIGTERM, SIGINT, SIGQUIT };

static bool
master_is_daemon(const struct master *m)
{
	return m->config->daemonize || m->config->supervised != SUPERVISED_NO;
}

/*
 * An event that does not go away must not make the loop spin.
 */
static void
master_pace(void)
{
	static const struct timespec ts = { .tv_nsec = PACE * 1000000L };
	static uint64_t level, drained;
	uint64_t n = (clock_ms() - drained) / PACE;

	level -= n < level ? n : level;
	drained += n * PACE;
	if (level < BURST)
		level++;
	else
		(void)nanosleep(&ts, NULL);
}

static struct pollfd
master_end_of(pid_t pid, int pidfd)
{
	return (
	    struct pollfd){ pid != 0 && pidfd != 0 ? pidfd : -1, POLLIN, 0 };
}

/* Children are waited for by their descriptors, too: SIGCHLD can be lost. */
static void
master_sleep_until(struct master *m, uint64_t wake)
{
	enum {
		WAKE,
		ADMIN,
		ADMIN_END,
		LOG,
		CHECKER,
		CHILD
	};
	/* Its requests and its death are the next program's then. */
	bool leaving = m->reload.phase == RELOAD_LEAVING;
	/* poll(2) passes over those that are -1. */
	struct pollfd p[CHILD + CONFIG_WORKERS_MAX] = {
		{ m->service->master_wake_fd, POLLIN, 0 },
		{ m->admin.pid != 0 && !leaving ? m->admin.socket : -1,
		    POLLIN, 0 },
		master_end_of(leaving ? 0 : m->admin.pid, m->admin.pidfd),
		{ log_watch(), POLLIN, 0 },
		master_end_of(m->reload.checker, m->reload.checker_fd),
	};
	unsigned workers = m->service->workers;
	struct timespec ts;
	eventfd_t ignored;

	for (unsigned k = 0; k < workers; k++)
		p[CHILD + k] = master_end_of(m->child[k].pid,
		    m->child[k].pidfd);
	master_pace();
	if (ppoll(p, CHILD + workers, clock_left(wake, clock_ms(), &ts),
		signals_open_mask()) <= 0)
		return;
	if (p[WAKE].revents != 0)
		(void)eventfd_read(p[WAKE].fd, &ignored);
	for (unsigned k = 0; k < workers; k++)
		m->child[k].ended = p[CHILD + k].revents != 0;
}

static unsigned
master_ready_workers(const struct master *m)
{
	unsigned n = 0;

	for (unsigned k = 0; k < m->service->workers; k++)
		n += atomic_load(&m->arena.slot[k].state) == SLOT_READY;
	return n;
}

/* End all workers at once. */
static void
master_abandon(struct master *m)
{
	m->stop.phase = STOP_DRAINING; /* nobody is replaced any more */
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0)
			(void)kill(m->child[k].pid, SIGKILL);
	for (unsigned k = 0; k < m->service->workers; k++)
		while (m->child[k].pid != 0) {
			master_sleep_until(m, clock_ms() + 100);
			reap(m);
		}
}

/* Slots as the workers before left them: what concerned their siblings or
 * their master is void, and those beyond the wanted ones are orphans. */
static void
master_inherit_slots(struct master *m, unsigned wanted)
{
	struct arena_header *h = m->arena.header;

	atomic_store(&h->admission, 0);
	atomic_store(&h->watching, 0);
	atomic_store(&h->copied, 0);
	for (unsigned k = 0; k < m->service->workers; k++) {
		struct slot *s = &m->arena.slot[k];

		atomic_store(&s->pid, 0);
		atomic_store(&s->adopt, 0);
		if (k < wanted)
			continue;
		m->child[k].retiring = true;
		m->child[k].respawn_at = CLOCK_NEVER;
		atomic_store(&s->state, SLOT_UNATTENDED);
	}
}

/* True if a slot's workers die before they serve.  The first one that does is
 * enough, but for those that a takeover has to come to terms with: somebody
 * may be killing workers at this very time. */
static bool
master_cannot_start(const struct master *m, bool upgrade_record)
{
	for (unsigned k = 0; k < m->config->workers; k++)
		if (upgrade_record ? m->child[k].failed_starts >= START_TRIES
				   : m->child[k].pid == 0)
			return true;
	return false;
}

/* The signal that asks for a stop, or 0. */
static int
master_stop_asked(void)
{
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(int); i++)
		if (signals_take(stop_signals[i]) > 0)
			return stop_signals[i];
	return 0;
}

/* Signals we have taken and not acted on: sent again, they wait, blocked, for
 * the image that carries on. */
static void
master_pass_on_signals(const int *recorded)
{
	int asker;

	while (signals_take_value(OUTCOME_SIGNAL, &asker))
		(void)sigqueue(getpid(), OUTCOME_SIGNAL,
		    (union sigval){ .sival_int = asker });
	for (; *recorded != 0; recorded++)
		if (signals_take(*recorded) > 0 && *recorded < SIGRTMIN)
			(void)kill(getpid(), *recorded);
}

int
master_start(struct master *m, bool upgrade_record)
{
	const int recorded[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1,
		SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD, OUTCOME_SIGNAL, 0 };
	uint64_t deadline = clock_ms() + START_PATIENCE;
	unsigned wanted = m->config->workers, ready = 0;
	bool failed = false;
	int stop = 0;

	signals_choose(recorded);
	oom_begin(m);
	if (spawn_prepare(m) == -1) {
		log_warn("descriptors for %u workers", wanted);
		return -1;
	}
	if (upgrade_record)
		master_inherit_slots(m, wanted);
	for (unsigned k = 0; k < wanted && !failed; k++)
		/* Clients wait: what the system is short of for a moment must
		 * not end a service that runs. */
		failed = spawn(m, k) == -1 && !upgrade_record;
	/* A worker that dies before it ever served would die again. */
	while (!failed && (ready = master_ready_workers(m)) < wanted &&
	    clock_ms() < deadline) {
		/* Not to depend on one wake-up that was lost. */
		master_sleep_until(m,
		    clock_earlier(clock_earlier(deadline,
				      clock_ms() + WAKE_AGAIN),
			spawn_next(m)));
		/* Reaping can take its time (reap_later()). */
		if (master_ready_workers(m) < wanted)
			reap(m);
		log_step();
		notify_step(m);
		failed = master_cannot_start(m, upgrade_record);
		if (stop == 0)
			stop = master_stop_asked();
		if (upgrade_record) {
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
	master_abandon(m);
	if (stop != 0)
		(void)kill(getpid(), stop);
	if (upgrade_record)
		master_pass_on_signals(recorded);
	log_warnx("only %u of %u workers became ready: giving up", ready,
	    wanted);
	return -1;
}

static void
master_reopen_log(const char *why)
{
	if (log_path()[0] == '\0')
		log_notice("%s: there is no log file to reopen", why);
	else if (log_reopen() == 0)
		log_notice("%s: log file reopened", why);
}

static bool
master_may_resize(const struct master *m)
{
	return m->stop.phase == STOP_NONE && m->reload.phase != RELOAD_LEAVING;
}

static void
master_take_signals(struct master *m)
{
	int asker;

	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(int); i++)
		if (signals_take(stop_signals[i]) > 0)
			stop_request(m, signals_name(stop_signals[i]));
	if (signals_take(SIGHUP) > 0) {
		/* A terminal that hangs up ends the program on it; a daemon
		 * has none. */
		if (!master_is_daemon(m))
			stop_request(m, "SIGHUP");
		else
			reload_request(m, "SIGHUP");
	}
	if (signals_take(SIGUSR2) > 0)
		reload_request(m, "SIGUSR2");
	(void)signals_take(OUTCOME_SIGNAL);
	while (signals_take_value(OUTCOME_SIGNAL, &asker))
		reload_request_by(m, "echod -s reload", asker);
	if (signals_take(SIGUSR1) > 0)
		master_reopen_log("SIGUSR1");
	/* A reload sets the number anew when the workers leave. */
	if (signals_take(SIGTTIN) > 0 && master_may_resize(m))
		scaling_grow(m, "SIGTTIN");
	if (signals_take(SIGTTOU) > 0 && master_may_resize(m))
		scaling_shrink(m, "SIGTTOU");
	(void)signals_take(SIGCHLD); /* reap() looks in any case */
}

/* Not one worker serves, and each has died STILLBORN times before it did. */
static bool
master_cannot_live(const struct master *m)
{
	if (master_ready_workers(m) > 0 || m->stop.phase != STOP_NONE ||
	    m->reload.phase == RELOAD_LEAVING)
		return false;
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].failed_starts < FAILED_STARTS_MAX)
			return false;
	return true;
}

/* Say in the service state what answers to an administrator tell of us. */
static void
master_publish(const struct master *m)
{
	struct service_state *s = m->service;

	s->mode = m->stop.phase != STOP_NONE ? SERVICE_STOPPING
	    : m->reload.phase != RELOAD_NONE ? SERVICE_RELOADING
					     : SERVICE_SERVING;
	for (unsigned k = 0; k < s->workers; k++) {
		s->slot[k].pid = m->child[k].pid;
		s->slot[k].stopped = m->child[k].pid != 0 &&
		    m->child[k].stopped != 0;
	}
}

int
master_run(struct master *m)
{
	for (;;) {
		uint64_t wake;

		master_take_signals(m);
		if (m->reload.phase == RELOAD_LEAVING)
			reap_later(m);
		else
			reap(m);
		if (stop_step(m))
			break;
		if (master_cannot_live(m)) {
			log_warnx("no worker lives long enough to serve: "
				  "giving up");
			master_abandon(m);
			admin_child_end(m);
			return EXIT_NOT_STARTED;
		}
		reload_step(m);
		if (m->reload.phase != RELOAD_LEAVING) {
			spawn_due(m);
			scaling_step(m);
		}
		watchdog(m);
		log_step();
		notify_step(m);
		master_publish(m);
		sample_step(m);
		admin_child_step(m);
		late_step(m);
		wake = clock_earlier(stop_next(m), spawn_next(m));
		wake = clock_earlier(wake, admin_child_next(m));
		wake = clock_earlier(wake, sample_next(m));
		wake = clock_earlier(wake, watchdog_next(m));
		wake = clock_earlier(wake, late_next(m));
		wake = clock_earlier(wake, reload_next(m));
		wake = clock_earlier(wake, notify_next());
		master_sleep_until(m, clock_earlier(wake, log_next()));
	}
	admin_child_end(m);
	log_step(); /* the last words of the others */
	log_tell_losses();
	return stop_summary(m);
}
