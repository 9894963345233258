/* SPDX-License-Identifier: ISC */
/*
 * The numbers of the service in Prometheus's text format, version 0.0.4.
 */
#include "admin/metrics.h"

#include <time.h>

#include "admin/quote.h"
#include "admin/status.h"
#include "lib/clock.h"
#include "lib/signals.h"

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
	fprintf(out, "echod_%s %llu.%03llu\n", name, STATUS_SECONDS(ms));
}

static void
metrics_service(const struct view *v, FILE *out)
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
	metrics_one(out, "max_connections", "gauge", "The limit maxclients.",
	    v->config->maxclients);
}

static void
metrics_clients(const struct totals *c, FILE *out)
{
	metrics_one(out, "connections", "gauge", "Connections now.",
	    c->connections);
	metrics_one(out, "connections_accepted_total", "counter",
	    "Connections ever let in.", c->accepted);
	metrics_one(out, "connections_refused_total", "counter",
	    "Connections turned away by maxclients or maxclients-per-ip.",
	    c->closed[CLOSE_LIMIT]);
	metrics_head(out, "connections_closed_total", "counter",
	    "Connections closed, by reason.");
	for (unsigned r = 0; r < CLOSE_REASONS; r++)
		metrics_labelled(out, "connections_closed_total", "reason",
		    status_reason(r), c->closed[r]);
	metrics_one(out, "received_bytes_total", "counter",
	    "Bytes received from clients.", c->rx);
	metrics_one(out, "sent_bytes_total", "counter",
	    "Bytes given back to clients.", c->tx);
	metrics_one(out, "echoes_total", "counter",
	    "Replies sent; lines that leave together are one.", c->echoes);
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

enum column {
	HELD,
	UP,
	ACCEPTED,
	ECHOES,
	RX,
	TX
};

static const struct {
	enum column column;
	const char *name, *type, *help;
} columns[] = {
	{ HELD, "worker_connections", "gauge", "Connections of a worker." },
	{ UP, "worker_ready", "gauge", "1 if the worker serves." },
	{ ACCEPTED, "worker_accepted_total", "counter",
	    "Connections a worker has let in." },
	{ ECHOES, "worker_echoes_total", "counter",
	    "Replies a worker has sent." },
	{ RX, "worker_received_bytes_total", "counter",
	    "Bytes a worker has received." },
	{ TX, "worker_sent_bytes_total", "counter",
	    "Bytes a worker has given back." },
};

static ull
metrics_cell(const struct slot *s, enum column c)
{
	switch (c) {
	case HELD:
		return slot_load(s);
	case UP:
		return atomic_load(&s->state) == SLOT_READY;
	case ACCEPTED:
		return atomic_load(&s->count.accepted);
	case ECHOES:
		return atomic_load(&s->count.echoes);
	case RX:
		return atomic_load(&s->count.rx);
	case TX:
		return atomic_load(&s->count.tx);
	}
	return 0;
}

static void
metrics_workers(const struct view *v, FILE *out)
{
	metrics_one(out, "workers", "gauge", "Workers that there are to be.",
	    v->service->workers);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		metrics_head(out, columns[i].name, columns[i].type,
		    columns[i].help);
		for (unsigned k = 0; k < v->service->workers; k++)
			fprintf(out, "echod_%s{worker=\"%u\"} %llu\n",
			    columns[i].name, k,
			    metrics_cell(&v->arena->slot[k],
				columns[i].column));
	}
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
			    i == 0 ? "exit" : signals_name(i), t->deaths[i]);
	metrics_one(out, "recoveries_total", "counter",
	    "Deaths of workers that connections outlived.", t->recoveries);
	metrics_head(out, "connections_saved_total", "counter",
	    "Connections that outlived their process, by what ended it.");
	metrics_labelled(out, "connections_saved_total", "from", "death",
	    t->saved);
	metrics_labelled(out, "connections_saved_total", "from", "reload",
	    t->kept);
	metrics_one(out, "connections_closed_by_request_total", "counter",
	    "Connections closed by an administrator.", t->closed);
	metrics_one(out, "reloads_total", "counter", "Reloads.", t->reloads);
	metrics_one(out, "reloads_refused_total", "counter",
	    "Reloads that were refused or given back.", t->reloads_refused);
	metrics_seconds(out, "last_reload_pause_seconds",
	    "Time nobody was served at the last reload.", t->pause);
}

void
metrics_write(const struct view *v, FILE *out)
{
	struct totals c;

	totals_sum(v->arena, v->service, &c);
	metrics_service(v, out);
	metrics_clients(&c, out);
	metrics_listeners(v, out);
	metrics_workers(v, out);
	metrics_events(&v->service->totals, out);
}
