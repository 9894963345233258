/* SPDX-License-Identifier: ISC */
#include "commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "arguments.h"
#include "client.h"
#include "reply.h"

struct command {
	const char *name; /* "command", "command|subcommand" */
	int arity;	  /* arguments, with the name; -n: n or more */
	const char *flags, *categories, *tips; /* words; for COMMAND */
	const char *since, *summary;	       /* for COMMAND DOCS and HELP */
	void (*execute)(struct resp *r);
};

static void commands_ping(struct resp *r);
static void commands_quit(struct resp *r);
static void commands_time(struct resp *r);
static void commands_info(struct resp *r);
static void commands_list_all(struct resp *r);
static void commands_count(struct resp *r);
static void commands_docs(struct resp *r);
static void commands_getkeys(struct resp *r);
static void commands_rows(struct resp *r);
static void commands_list(struct resp *r);
static void commands_help(struct resp *r);

#define ANYTIME "loading stale"
#define FIRST "noscript loading stale fast no_auth allow_busy"
#define QUICK "@fast @connection"
#define SLOW "@slow @connection"

/* Subcommands follow their command. */
static const struct command commands[] = {
	{ "auth", -2, FIRST, QUICK, "", "1.0.0", "Authenticate the connection",
	    client_auth },
	{ "client", -2, "", "@slow", "", "2.4.0",
	    "Commands about the connection", NULL },
	{ "client|getname", 2, "noscript " ANYTIME, SLOW, "", "2.6.9",
	    "The name of the connection", client_getname },
	{ "client|help", 2, ANYTIME, SLOW, "", "5.0.0", "This text",
	    commands_help },
	{ "client|id", 2, "noscript " ANYTIME, SLOW, "", "5.0.0",
	    "The number of the connection", client_id },
	{ "client|info", 2, "noscript " ANYTIME, SLOW,
	    "nondeterministic_output", "6.2.0", "What is known about it",
	    client_info },
	{ "client|list", -2, "admin noscript " ANYTIME,
	    "@admin @slow @dangerous @connection", "nondeterministic_output",
	    "2.4.0", "The same in a list, which has this connection only",
	    client_list },
	{ "client|no-evict", 3, "admin noscript " ANYTIME,
	    "@admin @slow @dangerous @connection", "", "7.0.0",
	    "ON or OFF: no effect", client_on_off },
	{ "client|no-touch", 3, "noscript " ANYTIME, SLOW, "", "7.2.0",
	    "ON or OFF: no effect", client_on_off },
	{ "client|reply", 3, "noscript " ANYTIME, SLOW, "", "3.2.0",
	    "ON, OFF or SKIP: what is answered", client_reply },
	{ "client|setinfo", 4, "noscript " ANYTIME, SLOW, "", "7.2.0",
	    "LIB-NAME or LIB-VER of the client", client_setinfo },
	{ "client|setname", 3, "noscript " ANYTIME, SLOW, "", "2.6.9",
	    "Name the connection", client_setname },
	{ "command", -1, ANYTIME, SLOW, "nondeterministic_output_order",
	    "2.8.13", "The commands", commands_list_all },
	{ "command|count", 2, ANYTIME, SLOW, "", "2.8.13", "Their number",
	    commands_count },
	{ "command|docs", -2, ANYTIME, SLOW, "nondeterministic_output_order",
	    "7.0.0", "Their documentation", commands_docs },
	{ "command|getkeys", -4, ANYTIME, SLOW, "", "2.8.13",
	    "The keys in a command: there is no command with keys",
	    commands_getkeys },
	{ "command|help", 2, ANYTIME, SLOW, "", "5.0.0", "This text",
	    commands_help },
	{ "command|info", -2, ANYTIME, SLOW, "nondeterministic_output_order",
	    "2.8.13", "The commands that are named", commands_rows },
	{ "command|list", -2, ANYTIME, SLOW, "nondeterministic_output_order",
	    "7.0.0", "Their names", commands_list },
	{ "echo", 2, ANYTIME " fast", QUICK, "", "1.0.0", "Answer the message",
	    commands_ping },
	{ "hello", -1, FIRST, QUICK, "", "6.0.0",
	    "Choose version 2 or 3 of the protocol", client_hello },
	{ "info", -1, ANYTIME, "@slow @dangerous",
	    "nondeterministic_output request_policy:all_shards "
	    "response_policy:special", "1.0.0", "What is known of the server",
	    commands_info },
	{ "ping", -1, "fast", QUICK,
	    "request_policy:all_shards response_policy:all_succeeded", "1.0.0",
	    "Answer PONG or the message", commands_ping },
	{ "quit", -1, FIRST, QUICK, "", "1.0.0", "End the connection",
	    commands_quit },
	{ "reset", 1, FIRST, QUICK, "", "6.2.0",
	    "Everything as in a new connection", client_reset },
	{ "select", 2, ANYTIME " fast", QUICK, "", "1.0.0",
	    "Choose a database, which is empty", client_select },
	{ "time", 1, ANYTIME " fast", "@fast", "nondeterministic_output",
	    "2.6.0", "The time of the server", commands_time },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *
commands_find(const char *name)
{
	for (size_t n = 0; n < COMMANDS; n++)
		if (strcasecmp(name, commands[n].name) == 0)
			return &commands[n];
	return NULL;
}

static const struct command *
commands_find_argument(const struct resp_state *state, unsigned n)
{
	return arguments_cut(state, n) ? NULL
				       : commands_find(arguments_get(state, n));
}

static bool
commands_is_sub(const struct command *c)
{
	return strchr(c->name, '|') != NULL;
}

/* The row behind `c` is a subcommand of it. */
static bool
commands_has_sub(const struct command *c)
{
	size_t n = strlen(c->name);

	return c + 1 < commands + COMMANDS && !commands_is_sub(c) &&
	    strncmp(c[1].name, c->name, n) == 0 && c[1].name[n] == '|';
}

/* The rows behind `c` that are subcommands of it. */
static size_t
commands_subs(const struct command *c)
{
	size_t n = 0;

	if (!commands_has_sub(c))
		return 0;
	while (c + n + 1 < commands + COMMANDS && commands_is_sub(&c[n + 1]))
		n++;
	return n;
}

static size_t
commands_top(void)
{
	size_t top = 0;

	for (size_t n = 0; n < COMMANDS; n++)
		top += !commands_is_sub(&commands[n]);
	return top;
}

bool
commands_is_message(const struct resp_state *state)
{
	return state->arguments == 2 &&
	    (arguments_is(state, 0, "ping") || arguments_is(state, 0, "echo"));
}

/* Exactly the text of Redis, which libraries look at. */
static void
commands_unknown(struct resp *r)
{
	char args[256] = "";
	int used = 0;

	for (int n = 1; n < r->state->arguments && used < 128; n++)
		used += snprintf(args + used, sizeof(args) - (size_t)used,
		    "'%.*s' ", 128 - used,
		    arguments_get(r->state, (unsigned)n));
	reply_error(r, "unknown command '%s', with args beginning with: %s",
	    arguments_get(r->state, 0), args);
}

static void
commands_unknown_sub(struct resp *r, const struct command *c)
{
	char name[32];
	size_t n = 0;

	for (; c->name[n] != '\0'; n++)
		name[n] = (char)toupper(c->name[n]);
	name[n] = '\0';
	reply_error(r, "unknown subcommand '%s'. Try %s HELP.",
	    arguments_get(r->state, 1), name);
}

/* The row of the command, or NULL after an error. */
static const struct command *
commands_look_up(struct resp *r)
{
	const struct command *c = commands_find_argument(r->state, 0);
	char name[RESP_KEEP_MAX * 2 + 2];

	if (c == NULL || commands_is_sub(c)) {
		commands_unknown(r);
		return NULL;
	}
	if (r->state->arguments > 1 && commands_has_sub(c)) {
		const struct command *sub;

		snprintf(name, sizeof(name), "%s|%s", c->name,
		    arguments_get(r->state, 1));
		if ((sub = commands_find(name)) == NULL)
			commands_unknown_sub(r, c);
		return sub;
	}
	return c;
}

int
commands_execute(struct resp *r)
{
	struct resp_state *state = r->state;
	const struct command *c;
	size_t before = r->step->write;
	int n = state->arguments;

	/* A browser was led to the wrong port: it is not heard. */
	if (arguments_is(state, 0, "post") || arguments_is(state, 0, "host:"))
		return ECHOD_FINISH;
	if ((c = commands_look_up(r)) != NULL) {
		if (c->arity > 0 ? n != c->arity : n < -c->arity)
			reply_error(r,
			    "wrong number of arguments for '%s' command",
			    c->name);
		else
			c->execute(r);
	}
	if (r->full) {
		r->full = false;
		r->step->write = before;
		reply_error(r, "the reply is too long");
	}
	commands_end(r);
	return c != NULL && c->execute == commands_quit ? ECHOD_FINISH
							: RESP_ON;
}

void
commands_end(struct resp *r)
{
	if (r->state->silence == RESP_SKIP_NEXT)
		r->state->silence = RESP_SKIP;
	else if (r->state->silence == RESP_SKIP)
		r->state->silence = RESP_HEARD;
}

/* PING, and ECHO: a message does not come here. */
static void
commands_ping(struct resp *r)
{
	if (r->state->arguments > 1)
		reply_error(r, "wrong number of arguments for 'ping' command");
	else
		reply_raw(r, "+PONG\r\n");
}

static void
commands_quit(struct resp *r)
{
	reply_status(r, "OK");
}

static void
commands_time(struct resp *r)
{
	char text[32];

	reply_array(r, 2);
	snprintf(text, sizeof(text), "%" PRIu64, r->step->unix_ms / 1000);
	reply_string(r, text);
	snprintf(text, sizeof(text), "%" PRIu64,
	    r->step->unix_ms % 1000 * 1000);
	reply_string(r, text);
}

/* Section `name` is asked for. */
static bool
commands_wants(const struct resp_state *state, const char *name)
{
	for (int n = 1; n < state->arguments; n++)
		if (arguments_is(state, (unsigned)n, name) ||
		    arguments_is(state, (unsigned)n, "all") ||
		    arguments_is(state, (unsigned)n, "default") ||
		    arguments_is(state, (unsigned)n, "everything"))
			return true;
	return state->arguments == 1;
}

/* A handler knows its own connection: so there are no counts of clients. */
static void
commands_info(struct resp *r)
{
	char server[256], text[1024] = "";
	const struct {
		const char *name, *text;
	} sections[] = {
		{ "server", server },
		{ "persistence", "# Persistence\r\nloading:0\r\n" },
		{ "replication",
		    "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n" },
		{ "cluster", "# Cluster\r\ncluster_enabled:0\r\n" },
		{ "keyspace", "# Keyspace\r\n" },
	};

	snprintf(server, sizeof(server),
	    "# Server\r\nredis_version:%s\r\nserver_name:echod\r\n"
	    "redis_mode:standalone\r\nos:Linux\r\narch_bits:%zu\r\n"
	    "tcp_port:%u\r\nserver_time_usec:%" PRIu64 "\r\n",
	    RESP_VERSION, 8 * sizeof(void *), r->step->peer->local_port,
	    r->step->unix_ms * 1000);
	for (size_t n = 0; n < sizeof(sections) / sizeof(sections[0]); n++) {
		if (!commands_wants(r->state, sections[n].name))
			continue;
		if (text[0] != '\0')
			strcat(text, "\r\n");
		strcat(text, sections[n].text);
	}
	reply_text(r, text);
}

static size_t
commands_words(const char *words)
{
	size_t n = *words != '\0';

	for (; *words != '\0'; words++)
		n += *words == ' ';
	return n;
}

/* A set of the words, each as a status or as a string. */
static void
commands_word_set(struct resp *r, const char *words, bool status)
{
	reply_set(r, commands_words(words));
	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (status) {
			reply_raw(r, "+");
			reply_bytes(r, words, n);
			reply_raw(r, "\r\n");
		} else {
			reply_bulk(r, words, n);
		}
		words += n + (words[n] == ' ');
	}
}

/* What COMMAND tells of a command.  None has keys. */
static void
commands_row(struct resp *r, const struct command *c)
{
	size_t subs;

	if (c == NULL) {
		reply_null(r);
		return;
	}
	subs = commands_subs(c);
	reply_array(r, 10);
	reply_string(r, c->name);
	reply_integer(r, c->arity);
	commands_word_set(r, c->flags, true);
	for (int n = 0; n < 3; n++)
		reply_integer(r, 0);
	commands_word_set(r, c->categories, true);
	commands_word_set(r, c->tips, false);
	reply_set(r, 0);
	if (subs == 0)
		reply_set(r, 0);
	else
		reply_array(r, subs);
	for (size_t n = 1; n <= subs; n++)
		commands_row(r, c + n);
}

static void
commands_list_all(struct resp *r)
{
	reply_array(r, commands_top());
	for (size_t n = 0; n < COMMANDS; n++)
		if (!commands_is_sub(&commands[n]))
			commands_row(r, &commands[n]);
}

static void
commands_rows(struct resp *r)
{
	if (r->state->arguments == 2) {
		commands_list_all(r);
		return;
	}
	reply_array(r, (size_t)r->state->arguments - 2);
	for (int n = 2; n < r->state->arguments && !r->full; n++)
		commands_row(r,
		    commands_find_argument(r->state, (unsigned)n));
}

static void
commands_count(struct resp *r)
{
	reply_integer(r, (int64_t)commands_top());
}

static void
commands_doc(struct resp *r, const struct command *c)
{
	size_t subs = commands_subs(c);
	/* Redis has the commands of client.c in this group. */
	bool server = strstr(c->categories, "@connection") == NULL ||
	    strncmp(c->name, "command", 7) == 0;

	reply_string(r, c->name);
	reply_map(r, subs > 0 ? 4 : 3);
	reply_string(r, "summary");
	reply_string(r, c->summary);
	reply_string(r, "since");
	reply_string(r, c->since);
	reply_string(r, "group");
	reply_string(r, server ? "server" : "connection");
	if (subs == 0)
		return;
	reply_string(r, "subcommands");
	reply_map(r, subs);
	for (size_t n = 1; n <= subs; n++)
		commands_doc(r, c + n);
}

static void
commands_docs(struct resp *r)
{
	size_t found = 0;

	if (r->state->arguments == 2) {
		reply_map(r, commands_top());
		for (size_t n = 0; n < COMMANDS; n++)
			if (!commands_is_sub(&commands[n]))
				commands_doc(r, &commands[n]);
		return;
	}
	for (unsigned n = 2; n < r->state->kept; n++)
		found += commands_find_argument(r->state, n) != NULL;
	reply_map(r, found);
	for (unsigned n = 2; n < r->state->kept; n++) {
		const struct command *c = commands_find_argument(r->state, n);

		if (c != NULL)
			commands_doc(r, c);
	}
}

static void
commands_getkeys(struct resp *r)
{
	if (commands_find_argument(r->state, 2) == NULL)
		reply_error(r, "Invalid command specified");
	else
		reply_error(r, "The command has no key arguments");
}

static void
commands_list(struct resp *r)
{
	if (r->state->arguments > 2) {
		reply_error(r, "syntax error");
		return;
	}
	reply_array(r, commands_top());
	for (size_t n = 0; n < COMMANDS; n++)
		if (!commands_is_sub(&commands[n]))
			reply_string(r, commands[n].name);
}

static void
commands_help(struct resp *r)
{
	const struct command *c = commands_find_argument(r->state, 0);
	size_t subs = commands_subs(c);
	char line[128];

	reply_array(r, 2 * subs + 1);
	snprintf(line, sizeof(line),
	    "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
	    c->name);
	reply_status(r, line);
	for (size_t n = 1; n <= subs; n++) {
		reply_status(r, strchr(c[n].name, '|') + 1);
		snprintf(line, sizeof(line), "    %s.", c[n].summary);
		reply_status(r, line);
	}
}
