/* SPDX-License-Identifier: ISC */
/*
 * Signals to the running service, and its status: echod -s.
 */
#include "commands/signal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/exit_status.h"
#include "lib/holder.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "lib/proc.h"
#include "shared/outcome.h"

/* The time in which a standby must have become the master, ms. */
#define TAKEOVER_MS 300

#define STANDBY_TITLE "echod: standby"

/* Exit statuses of -s status: those of the Linux Standard Base, and one of the
 * range that it leaves to applications. */
enum {
	STATUS_RUNNING = 0,
	STATUS_DEAD = 1,
	STATUS_STOPPED = 3,
	STATUS_UNKNOWN = 4,
	STATUS_FINISHING = 150
};

static const struct {
	const char *name;
	int signo; /* 0: none */
} known[] = {
	{ "reload", SIGUSR2 },
	{ "stop", SIGTERM },
	{ "kill", SIGKILL },
	{ "reopen", SIGUSR1 },
	{ "status", 0 },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static size_t
signal_send_find(const char *name)
{
	size_t i = 0;

	while (i < KNOWN && strcmp(known[i].name, name) != 0)
		i++;
	return i;
}

bool
signal_knows(const char *name)
{
	return signal_send_find(name) < KNOWN;
}

/* Ask for a reload and wait for its outcome. */
static int
signal_send_reload(const struct holder *h)
{
	char why[2048];
	int asker, fd;

	if (!proc_hears_us(h->pid)) {
		if (holder_signal(h, SIGUSR2, NULL) == -1)
			log_warn("-s reload: pid %ld", (long)h->pid);
		else
			log_warnx(
			    "-s reload: asked for; the outcome cannot be told "
			    "to another network namespace, see the log");
		return EXIT_NOT_STARTED;
	}
	fd = outcome_open(&asker);
	if (fd == -1) {
		log_warn("-s reload: a socket for the answer");
		return EXIT_NOT_STARTED;
	}
	if (holder_signal(h, OUTCOME_SIGNAL, &asker) == -1)
		log_warn("-s reload: pid %ld", (long)h->pid);
	else if (outcome_await(fd, h->pid, h->pidfd, why, sizeof(why)) == -1)
		log_warnx("-s reload: %s", why);
	else {
		close(fd);
		return EXIT_CLEAN;
	}
	close(fd);
	return EXIT_NOT_STARTED;
}

/* Kill the standby, which would take the master's place.  The master, which
 * would make another one, is stopped before. */
static void
signal_send_kill_standby(const struct holder *h)
{
	struct holder standby = { .pidfd = -1 };
	int pidfd;

	(void)holder_signal(h, SIGSTOP, NULL);
	standby.pid = proc_child(h->pid, STANDBY_TITLE);
	if (standby.pid == 0)
		return;
	pidfd = pidfd_make(standby.pid);
	if (pidfd != 0)
		standby.pidfd = pidfd;
	/* It is still that process. */
	if (proc_child(h->pid, STANDBY_TITLE) == standby.pid &&
	    holder_signal(&standby, SIGKILL, NULL) == -1)
		log_warn("-s kill: standby, pid %ld", (long)standby.pid);
	holder_close(&standby);
}

static int
signal_send_to(const struct holder *h, const char *name)
{
	int signo = known[signal_send_find(name)].signo;

	if (signo == SIGUSR2)
		return signal_send_reload(h);
	if (signo == SIGKILL)
		signal_send_kill_standby(h);
	if (holder_signal(h, signo, NULL) == 0)
		return EXIT_CLEAN;
	log_warn("-s %s: pid %ld", name, (long)h->pid);
	return EXIT_NOT_STARTED;
}

/* Say why no signal is sent. */
static void
signal_send_complain(const struct holder *h, const char *path, const char *name)
{
	log_warnx("-s %s: no echod is %s with pidfile %s%s%s", name,
	    h->state == HOLDER_ELSEWHERE ? "visible" : "running", path,
	    h->found[0] != '\0' ? ": " : "", h->found);
}

static int
signal_send_status(const struct holder *h, const char *path)
{
	if (h->state == HOLDER_ECHOD) {
		printf("echod is running, pid %ld\n", (long)h->pid);
		if (fflush(stdout) == 0)
			return STATUS_RUNNING;
		log_warn("standard output");
		return STATUS_UNKNOWN;
	}
	signal_send_complain(h, path, "status");
	if (h->state != HOLDER_NONE)
		return h->state == HOLDER_LEFT ? STATUS_FINISHING
					       : STATUS_UNKNOWN;
	return h->written != 0 ? STATUS_DEAD : STATUS_STOPPED;
}

/* Find the service.  If its master has just been killed, a standby takes its
 * place within a few milliseconds. */
static int
signal_send_find_holder(struct holder *h, const char *path)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	uint64_t deadline = clock_ms() + TAKEOVER_MS;

	while (holder_find_path(h, path) == 0) {
		if (h->state != HOLDER_LEFT || clock_ms() >= deadline)
			return 0;
		holder_close(h);
		(void)nanosleep(&moment, NULL);
	}
	return -1;
}

int
signal_send(const struct config *c, const char *name)
{
	bool status = strcmp(name, "status") == 0;
	struct holder h;
	int result = EXIT_NOT_STARTED;

	if (c->pidfile[0] == '\0') {
		log_warnx("-s %s: the configuration names no pidfile", name);
		return status ? STATUS_UNKNOWN : EXIT_NOT_STARTED;
	}
	if (signal_send_find_holder(&h, c->pidfile) == -1) {
		log_warn("-s %s: pidfile %s", name, c->pidfile);
		return status ? STATUS_UNKNOWN : EXIT_NOT_STARTED;
	}
	if (status)
		result = signal_send_status(&h, c->pidfile);
	else if (h.state == HOLDER_ECHOD)
		result = signal_send_to(&h, name);
	else
		signal_send_complain(&h, c->pidfile, name);
	holder_close(&h);
	return result;
}
