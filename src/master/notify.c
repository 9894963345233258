/* SPDX-License-Identifier: ISC */
/*
 * Telling the service manager what the service does, by sd_notify(3)'s
 * protocol: one datagram for each message, to the AF_UNIX socket in
 * NOTIFY_SOCKET.
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

/* How often a start or a stop asks for more time, for how much, and how much a
 * stop needs beyond its deadline, ms. */
#define EXTEND_EVERY 5000
#define EXTEND_BY 15000
#define EXTEND_REST 5000
/* The time from the death of a worker until the next one serves, ms. */
#define REPLACE_PATIENCE 10000

bool
notify_wanted(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && path[0] != '\0';
}

/* The number in an environment variable; 0 if it is not set, or wrong. */
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
notify_read_watchdog(struct notify *n, bool warn)
{
	long long pid = notify_number("WATCHDOG_PID", warn);
	long long usec = notify_number("WATCHDOG_USEC", warn);

	if (usec > 0 && (pid == 0 || pid == getpid()))
		n->period = usec < 1000 ? 1 : (uint64_t)usec / 1000;
}

void
notify_enable(struct notify *n, bool warn)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (n->enabled || !notify_wanted())
		return;
	if ((path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		if (warn)
			log_warnx("NOTIFY_SOCKET %s: %s; the service manager "
				  "is told nothing",
			    path,
			    path[0] != '/' && path[0] != '@'
				? "neither a path nor an abstract name (@)"
				: "too long");
		return;
	}
	n->enabled = true;
	n->served = clock_ms();
	n->feed_at = n->served;
	n->extend_at = n->served + EXTEND_EVERY;
	notify_read_watchdog(n, warn);
}

/* Send a message.  If `wait`, wait up to a second for a manager that is busy.
 * Returns true if it was sent. */
static bool
notify_send(struct notify *n, const char *state, bool wait)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 1 };
	socklen_t len;
	unsigned missed;
	bool sent;
	int fd;

	if (!n->enabled || path == NULL)
		return true;
	memcpy(sun.sun_path, path, strlen(path));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path));
	if (path[0] == '@')
		sun.sun_path[0] = '\0'; /* unix(7), abstract */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A manager that does not read must not delay the service. */
	sent = fd != -1 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == 0 &&
	    sendto(fd, state, strlen(state),
		MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT),
		(struct sockaddr *)&sun, len) != -1;
	if (!sent && log_rate_limit(&n->rate_limit, &missed))
		log_warn("NOTIFY_SOCKET %s", path);
	if (fd != -1)
		close(fd);
	return sent;
}

void
notify_tell(struct notify *n, const char *state)
{
	(void)notify_send(n, state, true);
}

/* Write the status as one line, even if a reason in it has several. */
static void
notify_status(const struct notify *n, char *status, size_t size,
    unsigned workers, const char *names, const char *more)
{
	snprintf(status, size, "STATUS=Serving on %s with %u workers%s%s",
	    names, workers, more, n->remark);
	for (char *p = status; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
}

void
notify_ready(struct notify *n, const struct config *c, const char *names,
    const char *remark)
{
	char state[NOTIFY_STATUS_BYTES + 64];

	strlcpy(n->remark, remark, sizeof(n->remark));
	notify_status(n, n->status, sizeof(n->status),
	    n->workers != 0 ? n->workers : c->workers, names, "");
	snprintf(state, sizeof(state), "READY=1\nMAINPID=%ld\n%s",
	    (long)getpid(), n->status);
	notify_tell(n, state);
	n->ready = true;
}

/* Send the status if it has changed, no matter which command or signal has
 * changed it. */
static void
notify_tell_status(struct master *m)
{
	struct notify *n = &m->notify;
	uint32_t level = atomic_load(&m->service->loglevel);
	char more[64], status[NOTIFY_STATUS_BYTES];

	n->workers = scaling_staying(m);
	if (!n->ready || m->stop.phase != STOP_NONE ||
	    m->reload.phase != RELOAD_NONE)
		return;
	snprintf(more, sizeof(more), "%s%s%s",
	    level == m->config->loglevel ? "" : "; loglevel ",
	    level == m->config->loglevel ? "" : log_level_name(level),
	    m->service->draining ? "; drained: health checks fail" : "");
	notify_status(n, status, sizeof(status), n->workers,
	    listen_names(m->service), more);
	if (strcmp(status, n->status) == 0)
		return;
	strlcpy(n->status, status, sizeof(n->status));
	notify_tell(n, status);
}

/* Ask for more time: a start and a stop may last longer than the manager
 * expects. */
static void
notify_extend(struct master *m, uint64_t now)
{
	struct notify *n = &m->notify;
	bool stopping = m->stop.phase != STOP_NONE;
	bool first = stopping && !n->stopping;
	uint64_t left = stopping && m->stop.kill_at > now
	    ? m->stop.kill_at - now
	    : 0;
	char state[64];

	n->stopping = stopping;
	if ((n->ready && !stopping) || (!first && now < n->extend_at))
		return;
	n->extend_at = now + EXTEND_EVERY;
	snprintf(state, sizeof(state), "EXTEND_TIMEOUT_USEC=%llu",
	    (unsigned long long)clock_earlier(EXTEND_BY,
		stopping ? left + EXTEND_REST : EXTEND_BY) *
		1000);
	(void)notify_send(n, state, false);
}

/* Note whether a worker serves.  Returns true if a worker does not serve and
 * the master is replacing it. */
static bool
notify_look(struct master *m, uint64_t now)
{
	struct notify *n = &m->notify;
	bool replaced = false;

	for (unsigned k = 0; k < m->service->workers; k++) {
		const struct child *c = &m->child[k];
		const struct slot *s = &m->arena.slot[k];
		uint64_t beat = atomic_load(&s->heartbeat);
		bool moves = beat % 2 == 0 || beat != n->heartbeat[k];

		n->heartbeat[k] = beat;
		if (c->pid == 0 || atomic_load(&s->state) != SLOT_READY)
			replaced = true;
		else if (moves && c->stopped == 0)
			n->served = now;
	}
	return replaced;
}

/* True if clients are served, or will be soon: this is no timer that runs
 * whatever the workers do. */
static bool
notify_is_live(struct master *m, uint64_t now)
{
	struct notify *n = &m->notify;
	uint64_t patience = n->period +
	    (uint64_t)m->config->watchdog_timeout * 1000;

	if (notify_look(m, now) && patience < REPLACE_PATIENCE)
		patience = REPLACE_PATIENCE;
	/* A start, a stop and a reload have time limits of their own. */
	if (!n->ready || m->stop.phase != STOP_NONE ||
	    m->reload.phase == RELOAD_LEAVING)
		n->served = now;
	return now - n->served < patience;
}

void
notify_step(struct master *m)
{
	struct notify *n = &m->notify;
	uint64_t now = clock_ms();

	if (!n->enabled)
		return;
	notify_tell_status(m);
	notify_extend(m, now);
	if (n->period == 0 || now < n->feed_at)
		return;
	/* Twice as often as needed; sooner if it could not be sent. */
	n->feed_at = now +
	    (!notify_is_live(m, now) || notify_send(n, "WATCHDOG=1", false)
		    ? n->period / 2
		    : n->period / 8) +
	    1;
}

uint64_t
notify_next(const struct notify *n)
{
	uint64_t next = CLOCK_NEVER;

	if (!n->enabled)
		return next;
	if (n->stopping)
		next = n->extend_at;
	return n->period == 0 ? next : clock_earlier(next, n->feed_at);
}
