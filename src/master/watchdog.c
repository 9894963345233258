/* SPDX-License-Identifier: ISC */
/*
 * The watchdog: workers that make no progress are killed and replaced.
 *
 * A worker's heartbeat is odd while it works and even while it sleeps.  As
 * long as one works the master looks at regular intervals; when all have slept
 * through one, it stops looking, and a worker that wakes up wakes the master.
 * It looks once more after having said that it will not: a worker that woke up
 * in between saw the former word.
 */
#include "master/watchdog.h"

#include <signal.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"

/* Looks per watchdog-timeout. */
#define LOOKS 4

static uint64_t
watchdog_timeout_ms(const struct master *m)
{
	return (uint64_t)m->config->watchdog_timeout * 1000;
}

/* A debugger has it: it is slow on purpose.  TracerPid in proc(5). */
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
watchdog_judge(struct master *m, unsigned k, uint64_t now)
{
	struct child *c = &m->child[k];
	const char *what = NULL;

	if (c->stopped != 0 && now - c->stopped >= watchdog_timeout_ms(m))
		what = "stopped";
	else if (c->stopped == 0 && c->heartbeat % 2 == 1 &&
	    now - c->since >= watchdog_timeout_ms(m)) {
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
	    (long)c->pid, what, m->config->watchdog_timeout);
	(void)kill(c->pid, SIGKILL);
	c->since = now;
	c->stopped = 0;
}

/* We are late ourselves: everybody was stopped, by Ctrl-Z perhaps, or the
 * machine was.  What was not seen is not held against anyone. */
static void
watchdog_forgive(struct master *m, uint64_t now)
{
	for (unsigned k = 0; k < m->service->workers; k++) {
		m->child[k].since = now;
		if (m->child[k].stopped != 0)
			m->child[k].stopped = now;
	}
}

/* Returns true if the worker works, or worked since the last look. */
static bool
watchdog_look(struct master *m, unsigned k, uint64_t now)
{
	struct child *c = &m->child[k];
	uint64_t heartbeat = atomic_load(&m->arena.slot[k].heartbeat);
	bool moved = heartbeat != c->heartbeat;

	if (moved) {
		c->heartbeat = heartbeat;
		c->since = now;
	}
	if (c->pid != 0)
		watchdog_judge(m, k, now);
	return c->pid != 0 && (moved || heartbeat % 2 == 1 || c->stopped != 0);
}

void
watchdog(struct master *m)
{
	_Atomic uint32_t *watching = &m->arena.header->watching;
	uint64_t now = clock_ms();
	bool busy = false;

	if (m->config->watchdog_timeout == 0) {
		atomic_store(watching, 1); /* nobody need wake us */
		m->watch_at = CLOCK_NEVER;
		return;
	}
	if (m->watch_at != CLOCK_NEVER && now < m->watch_at)
		return;
	if (m->watch_at != CLOCK_NEVER &&
	    now > m->watch_at + watchdog_timeout_ms(m) / LOOKS)
		watchdog_forgive(m, now);
	for (unsigned k = 0; k < m->service->workers; k++)
		busy = watchdog_look(m, k, now) || busy;
	if (busy || m->watch_at == CLOCK_NEVER)
		atomic_store(watching, 1);
	else if (atomic_exchange(watching, 0) == 0) {
		m->watch_at = CLOCK_NEVER;
		return;
	}
	m->watch_at = now + watchdog_timeout_ms(m) / LOOKS;
}

uint64_t
watchdog_next(const struct master *m)
{
	return m->watch_at;
}
