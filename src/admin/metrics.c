/* SPDX-License-Identifier: ISC */
/*
 * The numbers of the service in Prometheus's text format, version 0.0.4.
 */
#include "admin/metrics.h"

#include <signal.h>
#include <time.h>

#include "admin/quote.h"
#include "admin/service_list.h"
#include "admin/status.h"
#include "lib/clock.h"

typedef unsigned long long ull;

static void
metrics_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP echod_%s %s\n# TYPE echod_%s %s\n", name, help,
	    name, type);
}

static void
metrics_one(FILE *out, const char *name, const char *type, const char *help,
    ull n)
{
	metrics_head(out, name, type, help);
	fprintf(out, "echod_%s %llu\n", name, n);
}

/* One of several, told apart by a label. */
static void
metrics_labelled(FILE *out, const char *name, const char *label,
    const char *value, ull n)
{
	fprintf(out, "echod_%s{%s=", name, label);
	quote_label(out, value);
	fprintf(out, "} %llu\n", n);
}

static void
metrics_seconds(FILE *out, const char *name, const char *help, uint64_t ms)
{
	metrics_head(out, name, "gauge", help);
	fprintf(out, "echod_%s %llu.%03llu\n", name, (ull)ms / 1000,
	    (ull)ms % 1000);
}

static void
metrics_program(const struct view *v, FILE *out)
{
	const struct service_state *o = v->service;
	uint64_t up = clock_ms() - o->started;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	metrics_head(out, "build_info", "gauge",
	    "Version of the program; always 1.");
	metrics_labelled(out, "build_info", "version", PACKAGE_VERSION, 1);
	metrics_seconds(out, "start_time_seconds",
	    "When the service was started, "
	    "Unix time; reloads do not count.",
	    (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 - up);
	metrics_seconds(out, "uptime_seconds", "Time since then.", up);
	metrics_one(out, "draining", "gauge",
	    "1 if health checks are made to fail.", o->draining);
	metrics_one(out, "stopping", "gauge", "1 during a stop.",
	    v->service->mode == SERVICE_STOPPING);
	metrics_one(out, "standby", "gauge",
	    "1 if a standby can take the place of the master.",
	    status_standby(v) != 0);
	metrics_one(out, "max_connections", "gauge", "The limit maxclients.",
	    v->config->defaults.maxclients);
}

static void
metrics_clients(const struct totals *c, FILE *out)
{
	metrics_one(out, "connections", "gauge", "Connections now.",
	    c->connections);
	metrics_one(out, "connections_refused_total", "counter",
	    "Connections turned away by maxclients or maxclients-per-ip.",
	    c->closed[CLOSE_LIMIT]);
	metrics_head(out, "connections_closed_total", "counter",
	    "Connections closed, by reason.");
	for (unsigned r = 0; r < CLOSE_REASONS; r++)
		metrics_labelled(out, "connections_closed_total", "reason",
		    close_reason_label(r), c->closed[r]);
#define WRITE(member, metric, help, ...) \
	metrics_one(out, metric, "counter", help, c->member);
	SLOT_COUNTERS(WRITE)
#undef WRITE
}

/* How a service is called in each of its metrics. */
static void
metrics_label_service(FILE *out, const char *name, const struct service_item *s)
{
	fprintf(out, "echod_%s{service=", name);
	quote_label(out, s->handler.service);
}

static void
metrics_info(FILE *out, const struct service_item *s)
{
	metrics_label_service(out, "service_info", s);
	fputs(",handler=", out);
	quote_label(out, s->handler.name);
	fputs(",version=", out);
	quote_label(out, s->handler.version);
	fputs(",module=", out);
	quote_label(out, s->handler.path);
	fputs("} 1\n", out);
}

/* Their sums over all services are metrics of their own. */
static void
metrics_services(const struct view *v, FILE *out)
{
	static struct service_list l;
	const struct service_item *end;

	service_list_read(v, &l);
	end = l.item + l.count;
	metrics_head(out, "service_info", "gauge",
	    "Handler of a service, its version and its module; always 1.");
	for (const struct service_item *s = l.item; s < end; s++)
		metrics_info(out, s);
#define EACH(name, value) \
	for (const struct service_item *s = l.item; s < end; s++) \
		metrics_labelled(out, name, "service", s->handler.service, \
		    value);
	metrics_head(out, "service_connections", "gauge",
	    "Connections of a service now.");
	EACH("service_connections", s->totals.connections)
	metrics_head(out, "service_connections_closed_total", "counter",
	    "Connections of a service closed, by reason.");
	for (const struct service_item *s = l.item; s < end; s++)
		for (unsigned r = 0; r < CLOSE_REASONS; r++) {
			metrics_label_service(out,
			    "service_connections_closed_total", s);
			fprintf(out, ",reason=\"%s\"} %llu\n",
			    close_reason_label(r), (ull)s->totals.closed[r]);
		}
#define WRITE(member, metric, help, ...) \
	metrics_head(out, "service_" metric, "counter", \
	    "Of each service: " help); \
	EACH("service_" metric, s->totals.member)
	SLOT_COUNTERS(WRITE)
#undef WRITE
#undef EACH
}

static void
metrics_listeners(const struct view *v, FILE *out)
{
	unsigned waiting, limit;

	metrics_head(out, "listener_queue", "gauge",
	    "Connections waiting to be accepted.");
	for (unsigned i = 0; i < v->service->listeners; i++) {
		status_queue(v, i, &waiting, &limit);
		metrics_labelled(out, "listener_queue", "listener",
		    v->service->listener[i].name, waiting);
	}
	metrics_head(out, "listener_queue_limit", "gauge",
	    "Connections that may wait to be accepted.");
	for (unsigned i = 0; i < v->service->listeners; i++) {
		status_queue(v, i, &waiting, &limit);
		metrics_labelled(out, "listener_queue_limit", "listener",
		    v->service->listener[i].name, limit);
	}
}

static void
metrics_worker(FILE *out, const char *name, unsigned k, ull n)
{
	fprintf(out, "echod_%s{worker=\"%u\"} %llu\n", name, k, n);
}

static void
metrics_workers(const struct view *v, FILE *out)
{
	const struct slot *s = v->arena->slot;
	unsigned workers = v->service->workers;

	metrics_one(out, "workers", "gauge", "Workers that there are to be.",
	    workers);
	metrics_head(out, "worker_connections", "gauge",
	    "Connections of a worker.");
	for (unsigned k = 0; k < workers; k++)
		metrics_worker(out, "worker_connections", k, slot_load(&s[k]));
	metrics_head(out, "worker_ready", "gauge", "1 if the worker serves.");
	for (unsigned k = 0; k < workers; k++)
		metrics_worker(out, "worker_ready", k,
		    atomic_load(&s[k].state) == SLOT_READY);
#define WRITE(member, metric, help, worker_metric, worker_help, key, ...) \
	metrics_head(out, worker_metric, "counter", worker_help); \
	for (unsigned k = 0; k < workers; k++) \
		metrics_worker(out, worker_metric, k, slot_sum(&s[k], member));
	SLOT_COUNTERS(WRITE)
#undef WRITE
}

/* A counter of the service, perhaps one of several, told apart by a label; the
 * first of them has the help. */
static void
metrics_counter(FILE *out, const char *name, const char *label,
    const char *value, const char *help, ull n)
{
	if (help != NULL)
		metrics_head(out, name, "counter", help);
	if (label != NULL)
		metrics_labelled(out, name, label, value, n);
	else
		fprintf(out, "echod_%s %llu\n", name, n);
}

/* The usual ones are there from the start, so that rates are right. */
static bool
metrics_is_listed(const struct service_totals *t, int signo)
{
	return t->deaths[signo] > 0 || signo == 0 || signo == SIGKILL ||
	    signo == SIGSEGV || signo == SIGABRT;
}

static void
metrics_events(const struct service_totals *t, FILE *out)
{
	metrics_head(out, "worker_deaths_total", "counter",
	    "Workers that died unasked, by signal; exit if by none.");
	for (int i = 0; i < ARENA_SIGNALS; i++)
		if (metrics_is_listed(t, i))
			metrics_labelled(out, "worker_deaths_total", "signal",
			    status_death(i), t->deaths[i]);
#define WRITE(member, metric, label, value, help, key) \
	metrics_counter(out, metric, label, value, help, t->member);
	SERVICE_COUNTERS(WRITE)
#undef WRITE
	metrics_seconds(out, "last_reload_pause_seconds",
	    "Time nobody was served at the last reload.", t->pause);
}

void
metrics_write(const struct view *v, FILE *out)
{
	struct totals c;

	totals_sum(v->arena, v->service, &c);
	metrics_program(v, out);
	metrics_clients(&c, out);
	metrics_services(v, out);
	metrics_listeners(v, out);
	metrics_workers(v, out);
	metrics_events(&v->service->totals, out);
}
