/* SPDX-License-Identifier: ISC */
/*
 * What can be asked of the control socket: the table of commands, and those
 * that do something.
 */
#include "admin/commands.h"

#include <stdarg.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "admin/metrics.h"
#include "admin/quote.h"
#include "admin/status.h"
#include "lib/log.h"
#include "master/scaling.h"
#include "master/stop.h"
#include "master/upgrade/reload.h"

#define WORDS_MAX 8

static const char *const levels[] = { "debug", "verbose", "notice", "warning" };

void
commands_fail(const struct request *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!r->json) {
		fprintf(r->out, "error: %s\n", text);
		return;
	}
	fputs("{\"error\":", r->out);
	quote_json(r->out, text);
	fputs("}\n", r->out);
}

static void commands_succeed(const struct request *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
commands_succeed(const struct request *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!r->json) {
		fprintf(r->out, "ok: %s\n", text);
		return;
	}
	fputs("{\"ok\":", r->out);
	quote_json(r->out, text);
	fputs("}\n", r->out);
}

/* Who asks, for the log; static storage. */
static const char *
commands_asker(const struct request *r)
{
	static char who[48];

	snprintf(who, sizeof(who), "control (user %u)", (unsigned)r->uid);
	return who;
}

static void
commands_status(struct request *r)
{
	status_write(&(struct view){ &r->m->arena, r->m->service,
			 r->m->config },
	    r->out, r->json);
}

static void
commands_workers(struct request *r)
{
	struct master *m = r->m;
	const char *reason;
	unsigned wanted, before;

	if (r->words == 1) {
		status_workers(&(struct view){ &m->arena, m->service,
				   m->config },
		    r->out, r->json);
		return;
	}
	wanted = (unsigned)strtonum(r->word[1], 1, CONFIG_WORKERS_MAX, &reason);
	if (reason != NULL) {
		commands_fail(r, "workers: \"%.64s\" is %s (1 to %d)",
		    r->word[1], reason, CONFIG_WORKERS_MAX);
		return;
	}
	if (m->stop.phase != STOP_NONE || m->reload.phase == RELOAD_LEAVING) {
		commands_fail(r, "workers: not while %s",
		    status_mode(&(struct view){ &m->arena, m->service,
			m->config }));
		return;
	}
	do {
		before = scaling_staying(m);
		if (before < wanted)
			scaling_grow(m, commands_asker(r));
		else if (before > wanted)
			scaling_shrink(m, commands_asker(r));
	} while (scaling_staying(m) != before);
	if (before == wanted)
		commands_succeed(r, "%u workers", wanted);
	else
		commands_fail(r,
		    "workers: %u for now, others are still "
		    "leaving; the log says more",
		    before);
}

static void
commands_connections(struct request *r)
{
	struct connection_list *l = r->list;

	memset(l, 0, sizeof(*l));
	l->json = r->json;
	l->worker = -1;
	for (int i = 1; i < r->words; i++) {
		const char *word = r->word[i], *reason = NULL;

		if (strncmp(word, "worker=", 7) == 0)
			l->worker = (int)strtonum(word + 7, 0,
			    CONFIG_WORKERS_MAX - 1, &reason);
		else if (strncmp(word, "peer=", 5) == 0)
			connections_filter(l, word + 5);
		else
			reason = "not worker=NUMBER or peer=PREFIX";
		if (reason != NULL) {
			commands_fail(r, "connections: \"%.64s\" is %s", word,
			    reason);
			return;
		}
	}
	connections_begin(l, r->out);
}

static void
commands_metrics(struct request *r)
{
	if (r->json)
		commands_fail(r, "metrics: there is one format only");
	else
		metrics_write(&(struct view){ &r->m->arena, r->m->service,
				  r->m->config },
		    r->out);
}

static void
commands_config(struct request *r)
{
	status_config(r->m->config, r->out, r->json);
}

static void
commands_reload(struct request *r)
{
	if (r->m->stop.phase != STOP_NONE) {
		commands_fail(r, "reload: not while stopping");
		return;
	}
	reload_request(r->m, commands_asker(r));
	if (r->m->reload.phase == RELOAD_NONE)
		commands_fail(r, "reload: refused: %s", log_last_warning());
	else
		commands_succeed(r, "reloading");
}

static void
commands_stop(struct request *r)
{
	bool again = r->m->stop.phase != STOP_NONE;

	stop_request(r->m, commands_asker(r));
	commands_succeed(r, again ? "stopping now" : "stopping, %u s at most",
	    r->m->config->shutdown_delay + r->m->config->shutdown_timeout);
}

static void
commands_reopen(struct request *r)
{
	if (log_path()[0] == '\0')
		commands_fail(r, "reopen: there is no log file");
	else if (log_reopen() == -1)
		commands_fail(r, "reopen: %s", log_last_warning());
	else {
		log_notice("%s: log file reopened", commands_asker(r));
		commands_succeed(r, "%s", log_path());
	}
}

static void
commands_close_peer(struct request *r)
{
	const struct arena *a = &r->m->arena;
	int fd = connections_find(a, r->word[1]);

	if (fd == -1)
		commands_fail(r, "close: there is no client %.80s", r->word[1]);
	else if (connections_shut(a, fd) == -1)
		commands_fail(r, "close: %.80s has gone by itself", r->word[1]);
	else {
		r->m->service->totals.closed++;
		log_notice("%s: closing %s", commands_asker(r), r->word[1]);
		commands_succeed(r, "%.80s", r->word[1]);
	}
}

static void
commands_loglevel(struct request *r)
{
	_Atomic uint32_t *level = &r->m->service->loglevel;

	if (r->words == 1) {
		commands_succeed(r, "%s", levels[atomic_load(level) % 4]);
		return;
	}
	for (uint32_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(r->word[1], levels[i]) == 0) {
			log_notice("%s: loglevel %s", commands_asker(r),
			    levels[i]);
			atomic_store(level, i);
			service_publish(&r->m->arena, r->m->service);
			commands_succeed(r, "%s, until the next reload",
			    levels[i]);
			return;
		}
	commands_fail(r,
	    "loglevel: \"%.64s\" is none of debug, verbose, "
	    "notice, warning",
	    r->word[1]);
}

static void
commands_drain(struct request *r)
{
	bool on = r->words == 1 || strcmp(r->word[1], "on") == 0;

	if (!on && strcmp(r->word[1], "off") != 0) {
		commands_fail(r, "drain: \"%.64s\" is neither on nor off",
		    r->word[1]);
		return;
	}
	if (r->m->service->draining != on)
		log_notice(on ? "%s: health checks fail from now on"
			      : "%s: health checks succeed again",
		    commands_asker(r));
	r->m->service->draining = on;
	service_publish(&r->m->arena, r->m->service);
	commands_succeed(r,
	    on ? "health checks fail, clients are served"
	       : "health checks succeed");
}

static void commands_help(struct request *r);

static const struct command {
	const char *name;
	int least, most; /* words, itself included */
	void (*run)(struct request *r);
	const char *usage;
} commands[] = {
	{ "status", 1, 1, commands_status, "status" },
	{ "workers", 1, 2, commands_workers, "workers [NUMBER]" },
	{ "connections", 1, 3, commands_connections,
	    "connections [worker=NUMBER] [peer=PREFIX]" },
	{ "metrics", 1, 1, commands_metrics, "metrics" },
	{ "config", 1, 1, commands_config, "config" },
	{ "reload", 1, 1, commands_reload, "reload" },
	{ "stop", 1, 1, commands_stop, "stop" },
	{ "reopen", 1, 1, commands_reopen, "reopen" },
	{ "close", 2, 2, commands_close_peer, "close ADDRESS:PORT" },
	{ "loglevel", 1, 2, commands_loglevel,
	    "loglevel [debug|verbose|notice|warning]" },
	{ "drain", 1, 2, commands_drain, "drain [on|off]" },
	{ "help", 1, 1, commands_help, "help" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
commands_help(struct request *r)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!r->json)
			fprintf(r->out, "%s\n", commands[i].usage);
		else {
			fputs(i == 0 ? "[" : ",\n", r->out);
			quote_json(r->out, commands[i].usage);
		}
	if (r->json)
		fputs("]\n", r->out);
}

static void
commands_execute(struct request *r, const struct command *c)
{
	if (r->words < c->least || r->words > c->most)
		commands_fail(r, "usage: %s", c->usage);
	else
		c->run(r);
}

void
commands_run(struct request *r, char *line)
{
	char *words[WORDS_MAX + 1], *word;

	r->words = 0;
	r->word = words;
	while ((word = strsep(&line, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (r->words == 0 && !r->json && strcmp(word, "json") == 0)
			r->json = true;
		else if (r->words <= WORDS_MAX)
			words[r->words++] = word;
	}
	if (r->words == 0) {
		commands_fail(r, "an empty request; try help");
		return;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, words[0]) == 0) {
			commands_execute(r, &commands[i]);
			return;
		}
	commands_fail(r, "unknown command \"%.64s\"; try help", words[0]);
}
