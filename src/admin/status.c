/* SPDX-License-Identifier: ISC */
/*
 * Answers to the administrator: sums over the arena, and the service and its
 * workers on a screen.
 */
#include "admin/status.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "admin/quote.h"
#include "config/serialize.h"
#include "lib/clock.h"
#include "lib/signals.h"

const char *
status_mode(const struct view *v)
{
	if (v->service->mode == SERVICE_STOPPING)
		return "stopping";
	if (v->service->mode == SERVICE_RELOADING)
		return "reloading";
	return v->service->draining ? "draining" : "serving";
}

const char *
status_worker_state(const struct view *v, unsigned k)
{
	static const char *const names[] = { "starting", "ready", "leaving",
		"unattended", "adopted", "drained" };
	uint32_t state = atomic_load(&v->arena->slot[k].state) & 0xff;

	if (v->service->slot[k].stopped)
		return "stopped";
	return state < sizeof(names) / sizeof(names[0]) ? names[state]
							: "unknown";
}

void
status_queue(const struct view *v, unsigned i, unsigned *waiting,
    unsigned *limit)
{
	*waiting = *limit = 0;
	if (v->queue != NULL)
		v->queue(i, waiting, limit);
}

const char *
status_reason(enum close_reason r)
{
	static const char *const names[CLOSE_REASONS] = {
		[CLOSE_EOF] = "client_eof",
		[CLOSE_RESET] = "client_reset",
		[CLOSE_IDLE] = "idle",
		[CLOSE_DRAINED] = "drained",
		[CLOSE_CUT] = "cut",
		[CLOSE_LIMIT] = "over_limit",
		[CLOSE_ERROR] = "error",
		[CLOSE_FAULT] = "fault",
		[CLOSE_DENIED] = "denied",
		[CLOSE_MEMORY] = "memory",
		[CLOSE_REQUEST] = "request",
	};

	return r < CLOSE_REASONS && names[r] != NULL ? names[r] : "unknown";
}

void
status_duration(FILE *out, uint64_t ms)
{
	unsigned long long s = ms / 1000;

	if (s >= 86400)
		fprintf(out, "%llu d ", s / 86400);
	fprintf(out, "%02llu:%02llu:%02llu", s / 3600 % 24, s / 60 % 60,
	    s % 60);
}

/* "2.5 MB" behind the exact number, where that is hard to read. */
static void
status_write_bytes(FILE *out, uint64_t bytes)
{
	static const char units[] = "kMGTPE";
	double n = (double)bytes;
	int i = -1;

	fprintf(out, "%llu", (unsigned long long)bytes);
	while (n >= 1000 && units[i + 1] != '\0') {
		n /= 1000;
		i++;
	}
	if (i >= 0)
		fprintf(out, " (%.1f %cB)", n, units[i]);
}

static void
status_write_deaths(const struct service_totals *t, FILE *out, bool json)
{
	const char *before = "";

	for (int i = 0; i < ARENA_SIGNALS; i++) {
		if (t->deaths[i] == 0)
			continue;
		fprintf(out, json ? "%s\"%s\":%llu" : "%s%s %llu", before,
		    i == 0 ? "exit" : signals_name(i),
		    (unsigned long long)t->deaths[i]);
		before = json ? "," : ", ";
	}
}

static void
status_text(const struct view *v, const struct totals *c, FILE *out)
{
	const struct service_state *o = v->service;
	const struct service_totals *t = &o->totals;
	const char *before = "";

	fprintf(out, "echod %s, pid %ld, %s, up ", PACKAGE_VERSION,
	    (long)v->service->pid, status_mode(v));
	status_duration(out, clock_ms() - o->started);
	fputc('\n', out);
	for (unsigned i = 0; i < v->service->listeners; i++) {
		unsigned waiting, limit;

		status_queue(v, i, &waiting, &limit);
		fprintf(out, "listening    %s, %u of %u waiting\n",
		    v->service->listener[i].name, waiting, limit);
	}
	fprintf(out,
	    "workers      %u, %u ready\n"
	    "connections  %llu of %u now, %llu ever, %llu refused\n"
	    "echoes       %llu\nbytes in     ",
	    v->service->workers, c->ready, (unsigned long long)c->connections,
	    v->config->maxclients, (unsigned long long)c->accepted,
	    (unsigned long long)c->closed[CLOSE_LIMIT],
	    (unsigned long long)c->echoes);
	status_write_bytes(out, c->rx);
	fputs("\nbytes out    ", out);
	status_write_bytes(out, c->tx);
	fputs("\nclosed       ", out);
	for (unsigned r = 0; r < CLOSE_REASONS; r++) {
		if (c->closed[r] == 0)
			continue;
		fprintf(out, "%s%s %llu", before, close_reason_name(r),
		    (unsigned long long)c->closed[r]);
		before = ", ";
	}
	fputs(*before == '\0' ? "none\ndeaths       " : "\ndeaths       ", out);
	if (c->deaths == 0)
		fputs("none", out);
	status_write_deaths(t, out, false);
	fprintf(out,
	    "\nrecovered    %llu times, %llu connections saved\n"
	    "reloads      %llu, %llu refused, %llu connections kept",
	    (unsigned long long)t->recoveries, (unsigned long long)t->saved,
	    (unsigned long long)t->reloads,
	    (unsigned long long)t->reloads_refused,
	    (unsigned long long)t->kept);
	if (t->reloaded != 0) {
		fprintf(out, ", last paused %llu ms, ",
		    (unsigned long long)t->pause);
		status_duration(out, clock_ms() - t->reloaded);
		fputs(" ago", out);
	}
	fputc('\n', out);
	if (*v->service->totals.refusal != '\0')
		fprintf(out, "refused      %s\n", v->service->totals.refusal);
}

static void
status_json(const struct view *v, const struct totals *c, FILE *out)
{
	const struct service_state *o = v->service;
	const struct service_totals *t = &o->totals;

	fprintf(out,
	    "{\"version\":\"%s\",\"pid\":%ld,\"mode\":\"%s\","
	    "\"draining\":%s,\"uptime\":%llu.%03llu,\"listeners\":[",
	    PACKAGE_VERSION, (long)v->service->pid, status_mode(v),
	    o->draining ? "true" : "false",
	    STATUS_SECONDS(clock_ms() - o->started));
	for (unsigned i = 0; i < v->service->listeners; i++) {
		unsigned waiting, limit;

		status_queue(v, i, &waiting, &limit);
		fprintf(out, "%s{\"name\":", i > 0 ? "," : "");
		quote_json(out, v->service->listener[i].name);
		fprintf(out, ",\"waiting\":%u,\"limit\":%u}", waiting, limit);
	}
	fprintf(out,
	    "],\"workers\":%u,\"ready\":%u,\"connections\":%llu,"
	    "\"maxclients\":%u,\"accepted\":%llu,\"echoes\":%llu,"
	    "\"in\":%llu,\"out\":%llu,\"closed\":{",
	    v->service->workers, c->ready, (unsigned long long)c->connections,
	    v->config->maxclients, (unsigned long long)c->accepted,
	    (unsigned long long)c->echoes, (unsigned long long)c->rx,
	    (unsigned long long)c->tx);
	for (unsigned r = 0; r < CLOSE_REASONS; r++)
		fprintf(out, "%s\"%s\":%llu", r > 0 ? "," : "",
		    status_reason(r), (unsigned long long)c->closed[r]);
	fputs("},\"deaths\":{", out);
	status_write_deaths(t, out, true);
	fprintf(out,
	    "},\"recoveries\":%llu,\"saved\":%llu,\"reloads\":%llu,"
	    "\"reloads_refused\":%llu,\"kept\":%llu,"
	    "\"refusal\":",
	    (unsigned long long)t->recoveries, (unsigned long long)t->saved,
	    (unsigned long long)t->reloads,
	    (unsigned long long)t->reloads_refused,
	    (unsigned long long)t->kept);
	quote_json(out, v->service->totals.refusal);
	fprintf(out, ",\"last_reload\":{\"pause\":%llu.%03llu,\"ago\":",
	    STATUS_SECONDS(t->pause));
	if (t->reloaded == 0)
		fputs("null}}\n", out);
	else
		fprintf(out, "%llu.%03llu}}\n",
		    STATUS_SECONDS(clock_ms() - t->reloaded));
}

void
status_write(const struct view *v, FILE *out, bool json)
{
	struct totals c;

	totals_sum(v->arena, v->service, &c);
	if (json)
		status_json(v, &c, out);
	else
		status_text(v, &c, out);
}

void
status_workers(const struct view *v, FILE *out, bool json)
{
	if (json)
		fputs("[\n", out);
	else
		fprintf(out, "%6s %8s %-9s %11s %11s %11s %12s %14s %14s\n",
		    "WORKER", "PID", "STATE", "CONNECTIONS", "ACCEPTED",
		    "REFUSED", "ECHOES", "IN", "OUT");
	for (unsigned k = 0; k < v->service->workers; k++) {
		const struct slot *s = &v->arena->slot[k];
		const struct slot_counters *n = &s->count;

		fprintf(out,
		    json
			? "%s{\"worker\":%u,\"pid\":%ld,"
			  "\"state\":\"%s\",\"connections\":%u,\"accepted\":%llu,"
			  "\"refused\":%llu,\"echoes\":%llu,\"in\":%llu,"
			  "\"out\":%llu}"
			: "%s%6u %8ld %-9s %11u %11llu %11llu "
			  "%12llu %14llu %14llu\n",
		    json && k > 0 ? ",\n" : "", k,
		    (long)v->service->slot[k].pid, status_worker_state(v, k),
		    slot_load(s), (unsigned long long)atomic_load(&n->accepted),
		    (unsigned long long)atomic_load(&n->closed[CLOSE_LIMIT]),
		    (unsigned long long)atomic_load(&n->echoes),
		    (unsigned long long)atomic_load(&n->rx),
		    (unsigned long long)atomic_load(&n->tx));
	}
	if (json)
		fputs("\n]\n", out);
}

struct json_list {
	FILE *out;
	unsigned items;
};

/* A directive's items of config_save(), in this order: set., perhaps in.,
 * from. */
static void
status_put_json(void *to, const char *key, const char *value)
{
	static const char *const origins[] = { "default", "file",
		"command line" };
	struct json_list *list = to;
	FILE *out = list->out;
	unsigned origin, line;
	int note = 0;

	if (strncmp(key, "set.", 4) == 0) {
		fputs(list->items++ > 0 ? ",\n" : "", out);
		fprintf(out, "{\"name\":\"%s\",\"value\":", key + 4);
		quote_json(out, value);
	} else if (strncmp(key, "in.", 3) == 0) {
		fputs(",\"file\":", out);
		quote_json(out, value);
		/* NOLINTNEXTLINE(cert-err34-c): config_save() wrote two unsigned */
	} else if (strncmp(key, "from.", 5) == 0 &&
	    sscanf(value, "%u %u%n", &origin, &line, &note) == 2) {
		fprintf(out, ",\"origin\":\"%s\",\"line\":%u,\"note\":",
		    origins[origin % 3], line);
		quote_json(out, value + note + 1);
		fputc('}', out);
	}
}

void
status_config(const struct config *c, FILE *out, bool json)
{
	struct json_list list = { out, 0 };

	if (!json) {
		(void)config_dump(c, out);
		return;
	}
	fputs("{\"directives\":[\n", out);
	config_save(c, status_put_json, &list);
	fputs("\n],\"file\":", out);
	quote_json(out, c->file);
	fputs("}\n", out);
}
