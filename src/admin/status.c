/* SPDX-License-Identifier: ISC */
/*
 * Answers to the administrator: sums over the arena, and the service and its
 * workers on a screen.
 */
#include "admin/status.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

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

const char *
status_death(int i)
{
	return i == 0 ? "exit" : signals_name(i);
}

static void
status_write_listener(const struct view *v, unsigned i, FILE *out)
{
	unsigned waiting, limit;

	status_queue(v, i, &waiting, &limit);
	fprintf(out, "listening    %s, %u of %u waiting\n",
	    v->service->listener[i].name, waiting, limit);
}

static void
status_write_handler(const struct handler_entry *e, FILE *out)
{
	fprintf(out, "handler      %s %s, %s\n", e->name, e->version,
	    e->path[0] != '\0' ? e->path : "built in");
}

/* A service that is one of several, or has a name. */
static void
status_write_service(const struct service_item *s, FILE *out)
{
	fprintf(out, "service      %s, %llu", s->handler.service,
	    (unsigned long long)s->totals.connections);
	if (s->limit != 0)
		fprintf(out, " of %u", s->limit);
	fprintf(out, " connections, %llu ever, %llu refused%s\n",
	    (unsigned long long)s->totals.accepted,
	    (unsigned long long)s->totals.closed[CLOSE_LIMIT],
	    s->removed ? ", removed" : "");
}

/* Each service, and where it listens. */
static void
status_write_services(const struct view *v, FILE *out)
{
	static struct service_list l;

	service_list_read(v, &l);
	for (unsigned k = 0; k < l.count; k++) {
		const struct service_item *s = &l.item[k];

		if (l.sections)
			status_write_service(s, out);
		status_write_handler(&s->handler, out);
		for (unsigned i = 0; i < v->service->listeners; i++)
			if (!l.sections ||
			    v->service->listener[i].service == s->number)
				status_write_listener(v, i, out);
	}
}

int32_t
status_standby(const struct view *v)
{
	return v->service->seat[service_standby_seat(v->service)].pid;
}

/* The standby, and how often one has become the master. */
static void
status_write_standby(const struct view *v, FILE *out)
{
	int32_t pid = status_standby(v);

	if (pid != 0)
		fprintf(out, "standby      pid %ld", (long)pid);
	else
		fprintf(out, "standby      %s",
		    v->config->standby ? "none" : "off");
	fprintf(out, ", %llu takeovers\n",
	    (unsigned long long)v->service->totals.takeovers);
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
	status_write_services(v, out);
	status_write_standby(v, out);
	fprintf(out,
	    "workers      %u, %u ready\n"
	    "connections  %llu of %u now, %llu ever, %llu refused\n"
	    "echoes       %llu\nbytes in     ",
	    v->service->workers, c->ready, (unsigned long long)c->connections,
	    v->config->defaults.maxclients, (unsigned long long)c->accepted,
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
	before = "";
	for (int i = 0; i < ARENA_SIGNALS; i++) {
		if (t->deaths[i] == 0)
			continue;
		fprintf(out, "%s%s %llu", before, status_death(i),
		    (unsigned long long)t->deaths[i]);
		before = ", ";
	}
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

void
status_row(const struct view *v, const struct totals *c, struct row *r)
{
	const struct service_state *o = v->service;
	const struct service_totals *t = &o->totals;

	row_text(r, "version", 0, PACKAGE_VERSION);
	row_number(r, "pid", 0, (uint64_t)o->pid);
	row_add(r, "standby", status_standby(v) != 0 ? ROW_NUMBER : ROW_NONE, 0,
	    (uint64_t)status_standby(v));
	row_text(r, "mode", 0, status_mode(v));
	row_add(r, "draining", ROW_FLAG, 0, o->draining);
	row_add(r, "uptime", ROW_MILLI, 0, clock_ms() - o->started);
	row_number(r, "workers", 0, o->workers);
	row_number(r, "ready", 0, c->ready);
	row_number(r, "connections", 0, c->connections);
	row_number(r, "maxclients", 0, v->config->defaults.maxclients);
#define ADD(member, metric, help, worker_metric, worker_help, key, ...) \
	row_number(r, key, 0, c->member);
	SLOT_COUNTERS(ADD)
#undef ADD
	row_number(r, "worker_deaths", 0, c->deaths);
#define ADD(member, metric, label, value, help, key) \
	row_number(r, key, 0, t->member);
	SERVICE_COUNTERS(ADD)
#undef ADD
	row_text(r, "refusal", 0, t->refusal);
}

void
status_listener_row(const struct view *v, unsigned i, struct row *r)
{
	unsigned waiting, limit;

	status_queue(v, i, &waiting, &limit);
	row_text(r, "name", 0, v->service->listener[i].name);
	row_number(r, "waiting", 0, waiting);
	row_number(r, "limit", 0, limit);
	row_text(r, "service", 0, service_list_listener(v, i));
}

void
status_service_row(const struct service_item *s, struct row *r)
{
	const struct handler_entry *e = &s->handler;

	row_text(r, "service", 0, e->service);
	row_text(r, "state", 0, s->removed ? "removed" : "serving");
	row_text(r, "handler", 0, e->name);
	row_text(r, "version", 0, e->version);
	row_text(r, "module", 0, e->path);
	row_number(r, "connections", 0, s->totals.connections);
	row_number(r, "maxclients", 0, s->limit);
#define ADD(member, metric, help, worker_metric, worker_help, key, ...) \
	row_number(r, key, 0, s->totals.member);
	SLOT_COUNTERS(ADD)
#undef ADD
}

static void
status_closed_json(const struct totals *c, struct json_writer *j)
{
	json_write_object(j, "closed");
	for (unsigned i = 0; i < CLOSE_REASONS; i++)
		json_write_number(j, close_reason_label(i), c->closed[i]);
	json_write_close(j);
}

static void
status_services_json(const struct view *v, struct json_writer *j)
{
	static struct service_list l;

	service_list_read(v, &l);
	json_write_array(j, "services");
	for (unsigned k = 0; k < l.count; k++) {
		struct row r = { 0 };

		status_service_row(&l.item[k], &r);
		json_write_object(j, NULL);
		row_members(&r, j);
		status_closed_json(&l.item[k].totals, j);
		json_write_close(j);
	}
	json_write_close(j);
}

void
status_worker_row(const struct view *v, unsigned k, struct row *r)
{
	const struct slot *s = &v->arena->slot[k];

	row_number(r, "worker", 6, k);
	row_number(r, "pid", 8, (uint64_t)v->service->slot[k].pid);
	row_text(r, "state", -10, status_worker_state(v, k));
	row_number(r, "connections", 11, slot_load(s));
	row_number(r, "refused", 11, slot_sum(s, closed[CLOSE_LIMIT]));
#define ADD(member, metric, help, worker_metric, worker_help, key, ...) \
	row_number(r, key, 14, slot_sum(s, member));
	SLOT_COUNTERS(ADD)
#undef ADD
}

void
status_reload_row(const struct view *v, struct row *r)
{
	const struct service_totals *t = &v->service->totals;

	row_add(r, "pause", ROW_MILLI, 0, t->pause);
	row_add(r, "ago", t->reloaded == 0 ? ROW_NONE : ROW_MILLI, 0,
	    clock_ms() - t->reloaded);
}

void
status_json(const struct view *v, const struct totals *c, struct json_writer *j,
    const char *key)
{
	const struct service_totals *t = &v->service->totals;
	struct row r = { 0 };

	json_write_object(j, key);
	status_row(v, c, &r);
	row_members(&r, j);
	json_write_array(j, "listeners");
	for (unsigned i = 0; i < v->service->listeners; i++) {
		r.values = 0;
		status_listener_row(v, i, &r);
		row_object(&r, j, NULL);
	}
	json_write_close(j);
	status_services_json(v, j);
	status_closed_json(c, j);
	json_write_object(j, "deaths");
	for (int i = 0; i < ARENA_SIGNALS; i++)
		if (t->deaths[i] > 0)
			json_write_number(j, status_death(i), t->deaths[i]);
	json_write_close(j);
	r.values = 0;
	status_reload_row(v, &r);
	row_object(&r, j, "last_reload");
	json_write_close(j);
}

void
status_write(const struct view *v, FILE *out, bool json)
{
	struct json_writer j = json_write_begin(out);
	struct totals c;

	totals_sum(v->arena, v->service, &c);
	if (json)
		status_json(v, &c, &j, NULL);
	else
		status_text(v, &c, out);
}

void
status_workers_json(const struct view *v, struct json_writer *j,
    const char *key)
{
	json_write_lines(j, key);
	for (unsigned k = 0; k < v->service->workers; k++) {
		struct row r = { 0 };

		status_worker_row(v, k, &r);
		row_object(&r, j, NULL);
	}
	json_write_close(j);
}

void
status_workers(const struct view *v, FILE *out, bool json)
{
	struct json_writer j = json_write_begin(out);

	if (json) {
		status_workers_json(v, &j, NULL);
		return;
	}
	for (unsigned k = 0; k < v->service->workers; k++) {
		struct row r = { 0 };

		status_worker_row(v, k, &r);
		if (k == 0)
			row_heads(&r, out);
		row_line(&r, out);
	}
}

/* The items of config_save() for a directive, in this order: set., perhaps
 * in., from. */
static void
status_directive_json(void *to, const char *key, const char *value)
{
	static const char *const origins[] = { "default", "file",
		"command line" };
	struct json_writer *j = to;
	unsigned origin, line;
	int note = 0;

	if (strncmp(key, "set.", 4) == 0) {
		json_write_object(j, NULL);
		json_write_string(j, "name", key + 4);
		json_write_string(j, "value", value);
	} else if (strncmp(key, "in.", 3) == 0) {
		json_write_string(j, "file", value);
		/* config_save() wrote two unsigned.
		 * NOLINTNEXTLINE(cert-err34-c) */
	} else if (strncmp(key, "from.", 5) == 0 &&
	    sscanf(value, "%u %u%n", &origin, &line, &note) == 2) {
		json_write_string(j, "origin", origins[origin % 3]);
		json_write_number(j, "line", line);
		json_write_string(j, "note", value + note + 1);
		json_write_close(j);
	}
}

void
status_config(const struct config *c, FILE *out, bool json)
{
	struct json_writer j = json_write_begin(out);

	if (!json) {
		(void)config_dump(c, out);
		return;
	}
	json_write_object(&j, NULL);
	json_write_lines(&j, "directives");
	config_save(c, status_directive_json, &j);
	json_write_close(&j);
	json_write_string(&j, "file", c->file);
	json_write_close(&j);
}
