/* SPDX-License-Identifier: ISC */
/*
 * Telling the service manager: sd_notify(3)'s protocol, which is one datagram
 * to the AF_UNIX socket named by NOTIFY_SOCKET.
 */
#include "master/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "master/listeners/listen.h"
#include "master/scaling.h"

/* How often a start or a stop asks for time, for how much, and what a stop
 * needs beyond its deadline, ms. */
#define EXTEND_EVERY 5000
#define EXTEND_BY 15000
#define EXTEND_REST 5000
/* What a worker that died has until another one serves, ms. */
#define REPLACE_PATIENCE 10000

#define STATUS_BYTES 2048

static struct {
	bool enabled;
	bool ready, stopping; /* it has been told so */
	unsigned workers;     /* as last seen; 0: not yet */
	char remark[1024];
	char status[STATUS_BYTES]; /* as last told */
	uint64_t extend_at;
	uint64_t period; /* of its watchdog, ms; 0: none */
	uint64_t feed_at;
	uint64_t served; /* clock_ms() that somebody served */
	uint64_t heartbeat[CONFIG_WORKERS_MAX];
} notify;

bool
notify_wanted(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && path[0] != '\0';
}

/* The number in a variable of the manager's; 0 if it is not set or wrong. */
static long long
notify_number(const char *name, bool warn)
{
	const char *text = getenv(name), *reason;
	long long n;

	if (text == NULL)
		return 0;
	n = strtonum(text, 1, INT64_MAX, &reason);
	if (reason == NULL)
		return n;
	if (warn)
		log_warnx("%s \"%.64s\" is %s: ignored", name, text, reason);
	return 0;
}

/* sd_watchdog_enabled(3). */
static void
notify_read_watchdog(bool warn)
{
	long long pid = notify_number("WATCHDOG_PID", warn);

	long long usec = notify_number("WATCHDOG_USEC", warn);

	if (usec > 0 && (pid == 0 || pid == getpid()))
		notify.period = usec < 1000 ? 1 : (uint64_t)usec / 1000;
}

void
notify_enable(bool warn)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (notify.enabled || !notify_wanted())
		return;
	if ((path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		if (warn)
			log_warnx("NOTIFY_SOCKET %s: %s; the service manager "
				  "is told nothing",
			    path,
			    path[0] != '/' && path[0] != '@'
				? "neither a path nor an abstract "
				  "name (@)"
				: "too long");
		return;
	}
	notify.enabled = true;
	notify.served = clock_ms();
	notify.feed_at = notify.served;
	notify.extend_at = notify.served + EXTEND_EVERY;
	notify_read_watchdog(warn);
}

/* Returns true if it was sent; waits for a manager that is busy if it may. */
static bool
notify_send(const char *state, bool wait)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 1 };
	socklen_t len;
	static struct log_rate_limit backoff;
	unsigned missed;
	bool sent;
	int fd;

	if (!notify.enabled || path == NULL)
		return true;
	memcpy(sun.sun_path, path, strlen(path));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path));
	if (path[0] == '@')
		sun.sun_path[0] = '\0'; /* unix(7), abstract */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A manager that does not read must not hold up the service. */
	sent = fd != -1 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == 0 &&
	    sendto(fd, state, strlen(state),
		MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT),
		(struct sockaddr *)&sun, len) != -1;
	/* It may be busy: it is told the next time. */
	if (!sent && log_rate_limit(&backoff, &missed))
		log_warn("NOTIFY_SOCKET %s", path);
	if (fd != -1)
		close(fd);
	return sent;
}

void
notify_tell(const char *state)
{
	(void)notify_send(state, true);
}

/* One line, whatever a reason says. */
static void
notify_status(char *status, size_t size, unsigned workers, const char *names,
    const char *more)
{
	snprintf(status, size, "STATUS=Serving on %s with %u workers%s%s",
	    names, workers, more, notify.remark);
	for (char *p = status; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
}

void
notify_ready(const struct config *c, const char *names, const char *remark)
{
	char state[STATUS_BYTES + 64];

	strlcpy(notify.remark, remark, sizeof(notify.remark));
	notify_status(notify.status, sizeof(notify.status),
	    notify.workers != 0 ? notify.workers : c->workers, names, "");
	snprintf(state, sizeof(state), "READY=1\nMAINPID=%ld\n%s",
	    (long)getpid(), notify.status);
	notify_tell(state);
	notify.ready = true;
}

/* The status is a fact, told when it is another one: no matter which command
 * or signal has changed it. */
static void
notify_tell_status(const struct master *m)
{
	uint32_t level = atomic_load(&m->service->loglevel);
	char more[64], status[STATUS_BYTES];

	notify.workers = scaling_staying(m);
	if (!notify.ready || m->stop.phase != STOP_NONE ||
	    m->reload.phase != RELOAD_NONE)
		return;
	snprintf(more, sizeof(more), "%s%s%s",
	    level == m->config->loglevel ? "" : "; loglevel ",
	    level == m->config->loglevel ? "" : log_level_name(level),
	    m->service->draining ? "; drained: health checks fail" : "");
	notify_status(status, sizeof(status), notify.workers,
	    listen_names(m->service), more);
	if (strcmp(status, notify.status) == 0)
		return;
	strlcpy(notify.status, status, sizeof(notify.status));
	notify_tell(status);
}

/* A start and a stop may last longer than the manager has been told. */
static void
notify_extend(const struct master *m, uint64_t now)
{
	bool stopping = m->stop.phase != STOP_NONE;
	bool first = stopping && !notify.stopping;
	uint64_t left = stopping && m->stop.kill_at > now
	    ? m->stop.kill_at - now
	    : 0;
	char state[64];

	notify.stopping = stopping;
	if ((notify.ready && !stopping) || (!first && now < notify.extend_at))
		return;
	notify.extend_at = now + EXTEND_EVERY;
	snprintf(state, sizeof(state), "EXTEND_TIMEOUT_USEC=%llu",
	    (unsigned long long)clock_earlier(EXTEND_BY,
		stopping ? left + EXTEND_REST : EXTEND_BY) *
		1000);
	(void)notify_send(state, false);
}

/* Notes who serves.  Returns true if somebody who does not is being replaced
 * by the master. */
static bool
notify_look(const struct master *m, uint64_t now)
{
	bool replaced = false;

	for (unsigned k = 0; k < m->service->workers; k++) {
		const struct child *c = &m->child[k];
		const struct slot *s = &m->arena.slot[k];
		uint64_t beat = atomic_load(&s->heartbeat);
		bool moves = beat % 2 == 0 || beat != notify.heartbeat[k];

		notify.heartbeat[k] = beat;
		if (c->pid == 0 || atomic_load(&s->state) != SLOT_READY)
			replaced = true;
		else if (moves && c->stopped == 0)
			notify.served = now;
	}
	return replaced;
}

/* Honest: no timer that runs whatever the workers do. */
static bool
notify_is_live(const struct master *m, uint64_t now)
{
	uint64_t patience = notify.period +
	    (uint64_t)m->config->watchdog_timeout * 1000;

	if (notify_look(m, now) && patience < REPLACE_PATIENCE)
		patience = REPLACE_PATIENCE;
	/* Each of these has an end of its own. */
	if (!notify.ready || m->stop.phase != STOP_NONE ||
	    m->reload.phase == RELOAD_LEAVING)
		notify.served = now;
	return now - notify.served < patience;
}

void
notify_step(const struct master *m)
{
	uint64_t now = clock_ms();

	if (!notify.enabled)
		return;
	notify_tell_status(m);
	notify_extend(m, now);
	if (notify.period == 0 || now < notify.feed_at)
		return;
	/* Twice as often as needed; soon again if it could not be sent. */
	notify.feed_at = now +
	    (!notify_is_live(m, now) || notify_send("WATCHDOG=1", false)
		    ? notify.period / 2
		    : notify.period / 8) +
	    1;
}

uint64_t
notify_next(void)
{
	uint64_t next = CLOCK_NEVER;

	if (!notify.enabled)
		return next;
	if (notify.stopping)
		next = notify.extend_at;
	return notify.period == 0 ? next : clock_earlier(next, notify.feed_at);
}
