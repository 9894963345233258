/* SPDX-License-Identifier: ISC */
/*
 * The requests of the administration process: one table has all of them.
 */
#include "master/admin_requests.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "master/admin_link.h"
#include "master/publish.h"
#include "master/scaling.h"
#include "master/stop.h"
#include "master/upgrade/reload.h"

/* Requests in one round of the master's loop: it has other things to do. */
#define ROUND 16

/* A request that is being carried out, and its answer. */
struct order {
	const struct request *request;
	char source[48]; /* for the log */
	bool done, later;
	char text[MESSAGE_TEXT];
};

static void admin_requests_answer(struct order *o, bool done, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

static void
admin_requests_answer(struct order *o, bool done, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->text, sizeof(o->text), fmt, ap);
	va_end(ap);
	o->done = done;
}

static void
admin_requests_reload(struct master *m, struct order *o)
{
	o->later = reload_request_by(m, o->source,
	    OUTCOME_OF_ADMIN(o->request->sequence));
	if (!o->later)
		admin_requests_answer(o, false,
		    m->stop.phase != STOP_NONE
			? "reload: not while stopping"
			: "reload: too many wait for the outcome of one");
}

static void
admin_requests_stop(struct master *m, struct order *o)
{
	bool again = m->stop.phase != STOP_NONE;

	stop_request(m, o->source);
	if (again)
		admin_requests_answer(o, true, "stopping now");
	else
		admin_requests_answer(o, true, "stopping, %u s at most",
		    m->config->shutdown_delay + m->config->shutdown_timeout);
}

static void
admin_requests_reopen(struct master *m, struct order *o)
{
	(void)m;
	if (log_path()[0] == '\0')
		admin_requests_answer(o, false, "reopen: there is no log file");
	else if (log_reopen() == -1)
		admin_requests_answer(o, false, "reopen: %s",
		    log_last_warning());
	else {
		log_notice("%s: log file reopened", o->source);
		admin_requests_answer(o, true, "%s", log_path());
	}
}

static void
admin_requests_workers(struct master *m, struct order *o)
{
	unsigned wanted = (unsigned)o->request->argument, before;

	if (m->stop.phase != STOP_NONE || m->reload.phase == RELOAD_LEAVING) {
		admin_requests_answer(o, false, "workers: not while %s",
		    m->stop.phase != STOP_NONE ? "stopping" : "reloading");
		return;
	}
	do {
		before = scaling_staying(m);
		if (before < wanted)
			scaling_grow(m, o->source);
		else if (before > wanted)
			scaling_shrink(m, o->source);
	} while (scaling_staying(m) != before);
	if (before == wanted)
		admin_requests_answer(o, true, "%u workers", wanted);
	else
		admin_requests_answer(o, false,
		    "workers: %u for now, others are still leaving; the log "
		    "says more",
		    before);
}

static void
admin_requests_loglevel(struct master *m, struct order *o)
{
	uint32_t level = (uint32_t)o->request->argument;

	log_notice("%s: loglevel %s", o->source, log_level_name(level));
	atomic_store(&m->service->loglevel, level);
	service_publish(&m->arena, m->service);
	admin_requests_answer(o, true, "%s, until the next reload",
	    log_level_name(level));
}

static void
admin_requests_drain(struct master *m, struct order *o)
{
	bool on = o->request->argument != 0;

	if (on != (m->service->draining != 0))
		log_notice(on ? "%s: health checks fail from now on"
			      : "%s: health checks succeed again",
		    o->source);
	m->service->draining = on;
	admin_requests_answer(o, true,
	    on ? "health checks fail, clients are served"
	       : "health checks succeed");
}

/* Have slot `k` look at the record: the bit of one that is not offered to it
 * means that. */
static void
admin_requests_wake(const struct master *m, unsigned k, uint32_t place)
{
	if (k >= m->arena.slots)
		return;
	atomic_fetch_or(&arena_handoff(&m->arena, k)[place / 64],
	    UINT64_C(1) << (place % 64));
	atomic_store(&m->arena.slot[k].wakeup_pending, 1);
	if (m->service->slot[k].wake_fd != 0)
		(void)eventfd_write(m->service->slot[k].wake_fd, 1);
}

static void
admin_requests_close(struct master *m, struct order *o)
{
	uint32_t place = o->request->place, owner, seen;
	struct connection *c;

	if (place >= m->arena.capacity) {
		admin_requests_answer(o, false, "close: no such connection");
		return;
	}
	c = &m->arena.connection[place];
	owner = connection_owner(c);
	if ((owner_state(owner) != CONN_OPEN &&
		owner_state(owner) != CONN_OFFERED) ||
	    c->cookie != o->request->argument) {
		admin_requests_answer(o, false, "close: it has gone by itself");
		return;
	}
	m->service->totals.closed++;
	log_notice("%s: closing %s", o->source, peer_name(&c->peer));
	atomic_store(&c->close, connection_close_word(o->request->argument));
	/* It may be handed on meanwhile; a slot that gets it afterwards finds
	 * the word. */
	for (int i = 0; i < ARENA_SLOTS_MAX; i++) {
		seen = owner;
		admin_requests_wake(m, owner_slot(seen), place);
		owner = connection_owner(c);
		if (owner == seen)
			break;
	}
	admin_requests_answer(o, true, "closing");
}

static void
admin_requests_restart(struct master *m, struct order *o)
{
	log_notice("%s: the administration process starts anew", o->source);
	m->admin.restart = true;
	admin_requests_answer(o, true, "restarting");
}

static const struct {
	const char *name;     /* NULL: no answer */
	uint64_t least, most; /* of the argument */
	void (*run)(struct master *m, struct order *o);
} table[REQUEST_KINDS] = {
	[REQUEST_PONG] = { NULL, 0, 0, NULL },
	[REQUEST_RELOAD] = { "reload", 0, 0, admin_requests_reload },
	[REQUEST_STOP] = { "stop", 0, 0, admin_requests_stop },
	[REQUEST_REOPEN] = { "reopen", 0, 0, admin_requests_reopen },
	[REQUEST_WORKERS] = { "workers", 1, CONFIG_WORKERS_MAX,
	    admin_requests_workers },
	[REQUEST_LOGLEVEL] = { "loglevel", 0, LOG_LEVEL_WARNING,
	    admin_requests_loglevel },
	[REQUEST_DRAIN] = { "drain", 0, 1, admin_requests_drain },
	[REQUEST_CLOSE] = { "close", 1, UINT64_MAX, admin_requests_close },
	[REQUEST_RESTART] = { "restart", 0, 0, admin_requests_restart },
};

static void
admin_requests_run(struct master *m, const struct request *r)
{
	struct order o = { .request = r };

	m->admin.heard = clock_ms();
	if (r->kind == REQUEST_PONG)
		return;
	snprintf(o.source, sizeof(o.source), "control (user %u)", r->uid);
	if (r->kind >= REQUEST_KINDS)
		admin_requests_answer(&o, false, "request %u is unknown",
		    r->kind);
	else if (r->sequence == 0 || r->sequence > REQUEST_SEQUENCE_MAX ||
	    r->argument < table[r->kind].least ||
	    r->argument > table[r->kind].most)
		admin_requests_answer(&o, false,
		    "%s: %llu is not from %llu to %llu", table[r->kind].name,
		    (unsigned long long)r->argument,
		    (unsigned long long)table[r->kind].least,
		    (unsigned long long)table[r->kind].most);
	else
		table[r->kind].run(m, &o);
	/* A client that has the answer sees what the request has changed. */
	publish_state(m);
	if (!o.later)
		admin_link_tell(m, o.done ? MESSAGE_DONE : MESSAGE_REFUSED,
		    r->sequence, o.text);
}

bool
admin_requests_step(struct master *m)
{
	static struct log_rate_limit rate;
	struct request r;
	unsigned missed;
	pid_t from = 0;

	for (int i = 0; i < ROUND; i++)
		switch (request_receive(m->admin.socket, m->admin.pid, &r,
		    sizeof(r), &from)) {
		case RECEIVED_NOTHING:
			return true;
		case RECEIVED_END:
			return false;
		case RECEIVED_FOREIGN:
			if (log_rate_limit(&rate, &missed))
				log_warnx("a request that the administration "
					  "process has not made is ignored, of "
					  "process %ld; %u more unlogged",
				    (long)from, missed);
			break;
		case RECEIVED_IT:
			admin_requests_run(m, &r);
			/* The master may be another program from now on, which
			 * has the rest. */
			if (m->reload.phase == RELOAD_LEAVING)
				return true;
		}
	return true;
}
