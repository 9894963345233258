/* SPDX-License-Identifier: ISC */
/*
 * The watchdog: it kills workers that make no progress.
 *
 * A worker's heartbeat is odd while the worker works and even while it sleeps.
 * As long as a worker works, the master looks at regular intervals.  When all
 * workers have slept through an interval the master stops looking and says so
 * in the word `watching`; a worker that wakes up then wakes the master.  The
 * master looks once more after it has said so, because a worker that woke up
 * in between saw the former value of the word.
 */
#include "master/watchdog.h"

#include <signal.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"

/* Looks per watchdog-timeout. */
#define LOOKS 4

static uint64_t
watchdog_timeout_ms(const struct config *c)
{
	return (uint64_t)c->watchdog_timeout * 1000;
}

/* True if a debugger is attached: then the worker is slow on purpose.
 * TracerPid in proc(5). */
static bool
watchdog_is_traced(pid_t pid)
{
	char path[64], line[128];
	long tracer = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL)
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own pid */
		if (sscanf(line, "TracerPid: %ld", &tracer) == 1)
			break;
	fclose(f);
	return tracer != 0;
}

static void
watchdog_act(struct child *c, unsigned k, const struct config *config,
    uint64_t now)
{
	const char *what = NULL;

	if (c->stopped != 0 && now - c->stopped >= watchdog_timeout_ms(config))
		what = "stopped";
	else if (c->stopped == 0 && c->heartbeat % 2 == 1 &&
	    now - c->since >= watchdog_timeout_ms(config)) {
		what = "stuck";
		c->hung = true;
	}
	if (what == NULL)
		return;
	if (watchdog_is_traced(c->pid)) {
		c->since = now;
		c->hung = false;
		return;
	}
	log_warnx("worker %u (pid %ld) has been %s for %u s: killing it", k,
	    (long)c->pid, what, config->watchdog_timeout);
	child_signal(c, SIGKILL);
	c->since = now;
	c->stopped = 0;
}

/* The master itself is late: all processes were stopped (Ctrl-Z), or the whole
 * machine was.  Time that the master did not see does not count. */
static void
watchdog_forgive(struct child *child, unsigned workers, uint64_t now)
{
	for (unsigned k = 0; k < workers; k++) {
		child[k].since = now;
		if (child[k].stopped != 0)
			child[k].stopped = now;
	}
}

/* Returns true if the worker works, or has worked since the last look. */
static bool
watchdog_look(struct child *c, unsigned k, const struct config *config,
    const struct slot *s, uint64_t now)
{
	uint64_t heartbeat = atomic_load(&s->heartbeat);
	bool moved = heartbeat != c->heartbeat;

	if (moved) {
		c->heartbeat = heartbeat;
		c->since = now;
	}
	if (c->pid != 0)
		watchdog_act(c, k, config, now);
	return c->pid != 0 && (moved || heartbeat % 2 == 1 || c->stopped != 0);
}

void
watchdog_step(struct watchdog *w, const struct config *c, const struct arena *a,
    unsigned workers, struct child *child)
{
	_Atomic uint32_t *watching = &a->header->watching;
	uint64_t now = clock_ms(), interval = watchdog_timeout_ms(c) / LOOKS;
	bool busy = false;

	if (c->watchdog_timeout == 0) {
		atomic_store(watching, 1); /* no worker need wake us */
		w->look_at = CLOCK_NEVER;
		return;
	}
	if (w->look_at != CLOCK_NEVER && now < w->look_at)
		return;
	if (w->look_at != CLOCK_NEVER && now > w->look_at + interval)
		watchdog_forgive(child, workers, now);
	for (unsigned k = 0; k < workers; k++)
		busy = watchdog_look(&child[k], k, c, &a->slot[k], now) || busy;
	if (busy || w->look_at == CLOCK_NEVER)
		atomic_store(watching, 1);
	else if (atomic_exchange(watching, 0) == 0) {
		w->look_at = CLOCK_NEVER;
		return;
	}
	w->look_at = now + interval;
}

uint64_t
watchdog_next(const struct watchdog *w)
{
	return w->look_at;
}
