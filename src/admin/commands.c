/* SPDX-License-Identifier: ISC */
/*
 * What can be asked of the control socket: the table of commands.  What only
 * the master can do, it is asked for.
 */
#include "admin/commands.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "admin/json_write.h"
#include "admin/master_link.h"
#include "admin/metrics.h"
#include "admin/sock_diag.h"
#include "admin/status.h"
#include "lib/log.h"
#include "lib/log_levels.h"
#include "shared/control_commands.h"

#define WORDS_MAX 8

/* An answer of one line, which says how the request ended. */
static void
commands_end(const struct command_request *r, const char *outcome,
    const char *fmt, va_list ap)
{
	struct json_writer j = json_write_begin(r->out);
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (!r->json) {
		fprintf(r->out, "%s: %s\n", outcome, text);
		return;
	}
	json_write_object(&j, NULL);
	json_write_string(&j, outcome, text);
	json_write_close(&j);
}

void
commands_fail(const struct command_request *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	commands_end(r, "error", fmt, ap);
	va_end(ap);
}

void
commands_succeed(const struct command_request *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	commands_end(r, "ok", fmt, ap);
	va_end(ap);
}

/* The answer is the master's. */
static void
commands_ask_about(struct command_request *r, enum request_kind kind,
    uint64_t argument, uint32_t place)
{
	r->asked = kind;
	r->sequence = master_link_ask(kind, r->uid, argument, place);
	if (r->sequence == 0)
		commands_fail(r, "%s: the master cannot be asked now: %s",
		    r->word[0], strerror(errno));
}

static void
commands_ask(struct command_request *r, enum request_kind kind,
    uint64_t argument)
{
	commands_ask_about(r, kind, argument, 0);
}

static void
commands_status(struct command_request *r)
{
	status_write(r->view, r->out, r->json);
}

static void
commands_workers(struct command_request *r)
{
	const char *reason;
	long long wanted;

	if (r->words == 1) {
		status_workers(r->view, r->out, r->json);
		return;
	}
	wanted = strtonum(r->word[1], 1, CONFIG_WORKERS_MAX, &reason);
	if (reason != NULL)
		commands_fail(r, "workers: \"%.64s\" is %s (1 to %d)",
		    r->word[1], reason, CONFIG_WORKERS_MAX);
	else
		commands_ask(r, REQUEST_WORKERS, (uint64_t)wanted);
}

static void
commands_connections(struct command_request *r)
{
	struct connection_list *l = r->list;

	connections_init(l, r->json);
	for (int i = 1; i < r->words; i++) {
		const char *word = r->word[i], *reason = NULL;

		if (strncmp(word, "worker=", 7) == 0)
			l->worker = (int)strtonum(word + 7, 0,
			    CONFIG_WORKERS_MAX - 1, &reason);
		else if (strncmp(word, "peer=", 5) == 0)
			connections_filter(l, word + 5);
		else if (strncmp(word, "service=", 8) != 0)
			reason = "not worker=NUMBER, peer=PREFIX or "
				 "service=NAME";
		else if (!connections_filter_service(l, r->view, word + 8)) {
			commands_fail(r,
			    "connections: there is no service "
			    "%.64s",
			    word + 8);
			return;
		}
		if (reason != NULL) {
			commands_fail(r, "connections: \"%.64s\" is %s", word,
			    reason);
			return;
		}
	}
	sock_diag_look();
	connections_begin(l, r->view, r->out);
}

static void
commands_metrics(struct command_request *r)
{
	if (r->json)
		commands_fail(r, "metrics: there is one format only");
	else
		metrics_write(r->view, r->out);
}

static void
commands_config(struct command_request *r)
{
	status_config(r->view->config, r->out, r->json);
}

static void
commands_reload(struct command_request *r)
{
	commands_ask(r, REQUEST_RELOAD, 0);
}

static void
commands_stop(struct command_request *r)
{
	commands_ask(r, REQUEST_STOP, 0);
}

static void
commands_reopen(struct command_request *r)
{
	commands_ask(r, REQUEST_REOPEN, 0);
}

static void
commands_close(struct command_request *r)
{
	if (connections_find(r->view->arena, r->word[1], &r->closing))
		commands_ask_about(r, REQUEST_CLOSE, r->closing.cookie,
		    (uint32_t)r->closing.fd);
	else
		commands_fail(r, "close: there is no client %.80s", r->word[1]);
}

static void
commands_loglevel(struct command_request *r)
{
	int level;

	if (r->words == 1) {
		commands_succeed(r, "%s",
		    log_level_name(atomic_load(&r->view->service->loglevel)));
		return;
	}
	level = log_level_find(r->word[1]);
	if (level != -1)
		commands_ask(r, REQUEST_LOGLEVEL, (uint64_t)level);
	else
		commands_fail(r,
		    "loglevel: \"%.64s\" is none of " LOG_LEVEL_LIST,
		    r->word[1]);
}

static void
commands_drain(struct command_request *r)
{
	bool on = r->words == 1 || strcmp(r->word[1], "on") == 0;

	if (!on && strcmp(r->word[1], "off") != 0)
		commands_fail(r, "drain: \"%.64s\" is neither on nor off",
		    r->word[1]);
	else
		commands_ask(r, REQUEST_DRAIN, on);
}

static void
commands_renew(struct command_request *r)
{
	commands_ask(r, REQUEST_RESTART, 0);
}

static void commands_help(struct command_request *r);

static const struct command {
	const char *name;
	int least, most; /* words, itself included */
	void (*run)(struct command_request *r);
	const char *arguments;
} commands[] = {
#define ROW(name, least, most, changes, arguments, outcome, help) \
	{ #name, least, most, commands_##name, arguments },
#define NONE(name, help)
	CONTROL_COMMANDS(ROW, NONE)
#undef ROW
#undef NONE
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* "drain [on|off]"; static storage. */
static const char *
commands_usage(const struct command *c)
{
	static char usage[128];

	snprintf(usage, sizeof(usage), "%s%s%s", c->name,
	    c->arguments[0] != '\0' ? " " : "", c->arguments);
	return usage;
}

static void
commands_help(struct command_request *r)
{
	struct json_writer j = json_write_begin(r->out);

	if (r->json)
		json_write_lines(&j, NULL);
	for (size_t i = 0; i < COMMANDS; i++)
		if (r->json)
			json_write_string(&j, NULL,
			    commands_usage(&commands[i]));
		else
			fprintf(r->out, "%s\n", commands_usage(&commands[i]));
	if (r->json)
		json_write_close(&j);
}

static void
commands_execute(struct command_request *r, const struct command *c)
{
	if (r->words < c->least || r->words > c->most)
		commands_fail(r, "usage: %s", commands_usage(c));
	else
		c->run(r);
}

void
commands_run(struct command_request *r, char *line)
{
	char *words[WORDS_MAX + 1], *word;

	r->words = 0;
	r->word = words;
	while ((word = strsep(&line, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (r->words == 0 && !r->json &&
		    strcmp(word, CONTROL_JSON) == 0)
			r->json = true;
		else if (r->words == 0 && !r->framed &&
		    strcmp(word, CONTROL_FRAMED) == 0)
			r->framed = true;
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
