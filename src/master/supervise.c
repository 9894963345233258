/*
 * Telling the service manager: sd_notify(3)'s protocol, which is one datagram
 * to the AF_UNIX socket named by NOTIFY_SOCKET.
 */
#include "master/supervise.h"

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

#include "base/clock.h"
#include "base/log.h"
#include "master/listen.h"
#include "master/resize.h"

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
} supervise;

bool
supervise_wanted(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && path[0] != '\0';
}

/* The number in a variable of the manager's; 0 if it is not set or wrong. */
static long long
supervise_number(const char *name, bool warn)
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
supervise_read_watchdog(bool warn)
{
	long long pid = supervise_number("WATCHDOG_PID", warn);

	long long usec = supervise_number("WATCHDOG_USEC", warn);

	if (usec > 0 && (pid == 0 || pid == getpid()))
		supervise.period = usec < 1000 ? 1 : (uint64_t)usec / 1000;
}

void
supervise_enable(bool warn)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (supervise.enabled || !supervise_wanted())
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
	supervise.enabled = true;
	supervise.served = clock_ms();
	supervise.feed_at = supervise.served;
	supervise.extend_at = supervise.served + EXTEND_EVERY;
	supervise_read_watchdog(warn);
}

/* Returns true if it was sent; waits for a manager that is busy if it may. */
static bool
supervise_send(const char *state, bool wait)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 1 };
	socklen_t len;
	static struct log_brake brake;
	unsigned missed;
	bool sent;
	int fd;

	if (!supervise.enabled || path == NULL)
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
	if (!sent && log_brake(&brake, &missed))
		log_warn("NOTIFY_SOCKET %s", path);
	if (fd != -1)
		close(fd);
	return sent;
}

void
supervise_notify(const char *state)
{
	(void)supervise_send(state, true);
}

/* One line, whatever a reason says. */
static void
supervise_status(char *status, size_t size, unsigned workers, const char *names,
    const char *more)
{
	snprintf(status, size, "STATUS=Serving on %s with %u workers%s%s",
	    names, workers, more, supervise.remark);
	for (char *p = status; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
}

void
supervise_ready(const struct config *c, const char *names, const char *remark)
{
	char state[STATUS_BYTES + 64];

	strlcpy(supervise.remark, remark, sizeof(supervise.remark));
	supervise_status(supervise.status, sizeof(supervise.status),
	    supervise.workers != 0 ? supervise.workers : c->workers, names, "");
	snprintf(state, sizeof(state), "READY=1\nMAINPID=%ld\n%s",
	    (long)getpid(), supervise.status);
	supervise_notify(state);
	supervise.ready = true;
}

/* The status is a fact, told when it is another one: no matter which command
 * or signal has changed it. */
static void
supervise_tell_status(const struct master *m)
{
	uint32_t level = atomic_load(&m->arena.own->loglevel);
	char more[64], status[STATUS_BYTES];

	supervise.workers = resize_staying(m);
	if (!supervise.ready || m->stop.phase != STOP_NONE ||
	    m->reload.phase != RELOAD_NONE)
		return;
	snprintf(more, sizeof(more), "%s%s%s",
	    level == m->config->loglevel ? "" : "; loglevel ",
	    level == m->config->loglevel ? "" : log_level_name(level),
	    m->arena.own->draining ? "; drained: health checks fail" : "");
	supervise_status(status, sizeof(status), supervise.workers,
	    listen_names(&m->arena), more);
	if (strcmp(status, supervise.status) == 0)
		return;
	strlcpy(supervise.status, status, sizeof(supervise.status));
	supervise_notify(status);
}

/* A start and a stop may last longer than the manager has been told. */
static void
supervise_extend(const struct master *m, uint64_t now)
{
	bool stopping = m->stop.phase != STOP_NONE;
	bool first = stopping && !supervise.stopping;
	uint64_t left = stopping && m->stop.kill_at > now
	    ? m->stop.kill_at - now
	    : 0;
	char state[64];

	supervise.stopping = stopping;
	if ((supervise.ready && !stopping) ||
	    (!first && now < supervise.extend_at))
		return;
	supervise.extend_at = now + EXTEND_EVERY;
	snprintf(state, sizeof(state), "EXTEND_TIMEOUT_USEC=%llu",
	    (unsigned long long)clock_earlier(EXTEND_BY,
		stopping ? left + EXTEND_REST : EXTEND_BY) *
		1000);
	(void)supervise_send(state, false);
}

/* Notes who serves.  Returns true if somebody who does not is being replaced
 * by the master. */
static bool
supervise_look(const struct master *m, uint64_t now)
{
	bool replaced = false;

	for (unsigned k = 0; k < m->arena.own->workers; k++) {
		const struct child *c = &m->child[k];
		const struct slot *s = &m->arena.slot[k];
		uint64_t beat = atomic_load(&s->heartbeat);
		bool moves = beat % 2 == 0 || beat != supervise.heartbeat[k];

		supervise.heartbeat[k] = beat;
		if (c->pid == 0 || atomic_load(&s->state) != SLOT_READY)
			replaced = true;
		else if (moves && c->stopped == 0)
			supervise.served = now;
	}
	return replaced;
}

/* Honest: no timer that runs whatever the workers do. */
static bool
supervise_is_live(const struct master *m, uint64_t now)
{
	uint64_t patience = supervise.period +
	    (uint64_t)m->config->watchdog_timeout * 1000;

	if (supervise_look(m, now) && patience < REPLACE_PATIENCE)
		patience = REPLACE_PATIENCE;
	/* Each of these has an end of its own. */
	if (!supervise.ready || m->stop.phase != STOP_NONE ||
	    m->reload.phase == RELOAD_LEAVING)
		supervise.served = now;
	return now - supervise.served < patience;
}

void
supervise_step(const struct master *m)
{
	uint64_t now = clock_ms();

	if (!supervise.enabled)
		return;
	supervise_tell_status(m);
	supervise_extend(m, now);
	if (supervise.period == 0 || now < supervise.feed_at)
		return;
	/* Twice as often as needed; soon again if it could not be sent. */
	supervise.feed_at = now +
	    (!supervise_is_live(m, now) || supervise_send("WATCHDOG=1", false)
		    ? supervise.period / 2
		    : supervise.period / 8) +
	    1;
}

uint64_t
supervise_next(void)
{
	uint64_t next = CLOCK_NEVER;

	if (!supervise.enabled)
		return next;
	if (supervise.stopping)
		next = supervise.extend_at;
	return supervise.period == 0 ? next
				     : clock_earlier(next, supervise.feed_at);
}
