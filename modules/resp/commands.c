/* SPDX-License-Identifier: ISC */
/*
 * The commands: tables, which COMMAND shows, too.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "resp.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What COMMAND shows of a command; the first three are words. */
struct about {
	const char *flags, *categories, *tips;
	const char *since, *group, *summary;
};

struct command {
	const char *name; /* "command", "command|subcommand" */
	int arity;	  /* arguments with the name; -n: n or more */
	void (*execute)(struct resp *r);
	const struct about *about; /* NULL: of a subcommand */
};

static void commands_all(struct resp *r);
static void commands_count(struct resp *r);
static void commands_docs(struct resp *r);
static void commands_getkeys(struct resp *r);
static void commands_help(struct resp *r);
static void commands_info(struct resp *r);
static void commands_list(struct resp *r);
static void commands_ping(struct resp *r);
static void commands_quit(struct resp *r);
static void commands_rows(struct resp *r);
static void commands_time(struct resp *r);

#define FIRST "noscript loading stale fast no_auth allow_busy"
#define QUICK "@fast @connection"

#define ABOUT(...) (&(const struct about){ __VA_ARGS__ })

static const struct command commands[] = {
	{ "auth", -2, client_auth,
	    ABOUT(FIRST, QUICK, "", "1.0.0", "connection",
		"Authenticate: the user is default, without a password") },
	{ "client", -2, NULL,
	    ABOUT("", "@slow", "", "2.4.0", "connection",
		"Commands about the connection") },
	{ "command", -1, commands_all,
	    ABOUT("loading stale", "@slow @connection",
		"nondeterministic_output_order", "2.8.13", "server",
		"Describe the commands") },
	{ "echo", 2, commands_ping,
	    ABOUT("loading stale fast", QUICK, "", "1.0.0", "connection",
		"Answer the message") },
	{ "hello", -1, client_hello,
	    ABOUT(FIRST, QUICK, "", "6.0.0", "connection",
		"Choose version 2 or 3 of the protocol") },
	{ "info", -1, commands_info,
	    ABOUT("loading stale", "@slow @dangerous",
		"nondeterministic_output request_policy:all_shards "
		"response_policy:special",
		"1.0.0", "server", "Describe the server") },
	{ "ping", -1, commands_ping,
	    ABOUT("fast", QUICK,
		"request_policy:all_shards response_policy:all_succeeded",
		"1.0.0", "connection", "Answer PONG, or the message") },
	{ "quit", -1, commands_quit,
	    ABOUT(FIRST, QUICK, "", "1.0.0", "connection",
		"End the connection") },
	{ "reset", 1, client_reset,
	    ABOUT(FIRST, QUICK, "", "6.2.0", "connection",
		"Make everything as in a new connection") },
	{ "select", 2, client_select,
	    ABOUT("loading stale fast", QUICK, "", "1.0.0", "connection",
		"Choose one of 16 databases, which are empty") },
	{ "time", 1, commands_time,
	    ABOUT("loading stale fast", "@fast", "nondeterministic_output",
		"2.6.0", "server", "Tell the time") },
};

static const struct command subcommands[] = {
	{ "client|getname", 2, client_getname, NULL },
	{ "client|help", 2, commands_help, NULL },
	{ "client|id", 2, client_id, NULL },
	{ "client|info", 2, client_info, NULL },
	{ "client|list", -2, client_list, NULL },
	{ "client|no-evict", 3, client_on_off, NULL },
	{ "client|no-touch", 3, client_on_off, NULL },
	{ "client|reply", 3, client_reply, NULL },
	{ "client|setinfo", 4, client_setinfo, NULL },
	{ "client|setname", 3, client_setname, NULL },
	{ "command|count", 2, commands_count, NULL },
	{ "command|docs", -2, commands_docs, NULL },
	{ "command|getkeys", -4, commands_getkeys, NULL },
	{ "command|help", 2, commands_help, NULL },
	{ "command|info", -2, commands_rows, NULL },
	{ "command|list", -2, commands_list, NULL },
};

static const struct command *
commands_find(const struct command *table, size_t count, const char *name)
{
	for (size_t n = 0; n < count; n++)
		/* Most differ in the first letter. */
		if ((name[0] | ' ') == table[n].name[0] &&
		    strcasecmp(name, table[n].name) == 0)
			return &table[n];
	return NULL;
}

static const struct command *
commands_find_argument(const struct resp_state *state, int n)
{
	return arguments_cut(state, n)
	    ? NULL
	    : commands_find(commands, COUNT(commands), arguments_get(state, n));
}

static bool
commands_is_sub(const struct command *c, const struct command *sub)
{
	size_t n = strlen(c->name);

	return strncmp(sub->name, c->name, n) == 0 && sub->name[n] == '|';
}

static size_t
commands_subs(const struct command *c)
{
	size_t subs = 0;

	for (size_t n = 0; n < COUNT(subcommands); n++)
		subs += commands_is_sub(c, &subcommands[n]);
	return subs;
}

bool
commands_is_message(const struct resp_state *state)
{
	return state->arguments == 2 &&
	    (arguments_is(state, 0, "ping") || arguments_is(state, 0, "echo"));
}

/* Exactly the text of Redis: libraries look at it. */
static int
commands_unknown(struct resp *r)
{
	char args[256] = "";
	int used = 0;

	/* HTTP has come to the wrong port. */
	if (arguments_is(r->state, 0, "post") ||
	    arguments_is(r->state, 0, "host:"))
		return ECHOD_FINISH;
	for (int n = 1; n < r->state->arguments && used < 128; n++)
		used += snprintf(args + used, sizeof(args) - (size_t)used,
		    "'%.*s' ", 128 - used, arguments_get(r->state, n));
	reply_error(r, "unknown command '%s', with args beginning with: %s",
	    arguments_get(r->state, 0), args);
	return RESP_ON;
}

static const struct command *
commands_find_sub(struct resp *r, const struct command *c)
{
	char name[RESP_KEEP_MAX * 2];
	const struct command *sub;
	size_t n;

	snprintf(name, sizeof(name), "%s|%s", c->name,
	    arguments_get(r->state, 1));
	sub = commands_find(subcommands, COUNT(subcommands), name);
	if (sub == NULL) {
		for (n = 0; c->name[n] != '\0'; n++)
			name[n] = (char)toupper(c->name[n]);
		reply_error(r, "unknown subcommand '%s'. Try %.*s HELP.",
		    arguments_get(r->state, 1), (int)n, name);
	}
	return sub;
}

int
commands_execute(struct resp *r)
{
	const struct command *c = commands_find_argument(r->state, 0);
	size_t before = r->step->write;
	int n = r->state->arguments, next = RESP_ON;

	if (c == NULL)
		next = commands_unknown(r);
	else if (n > 1 && commands_subs(c) > 0)
		c = commands_find_sub(r, c);
	if (c != NULL && (c->arity > 0 ? n != c->arity : n < -c->arity))
		reply_error(r, "wrong number of arguments for '%s' command",
		    c->name);
	else if (c != NULL)
		c->execute(r);
	if (r->full) {
		r->full = false;
		r->step->write = before;
		reply_error(r, "the reply is too long");
	}
	if (c != NULL && c->execute == commands_quit)
		next = ECHOD_FINISH;
	commands_end(r);
	return next;
}

void
commands_end(struct resp *r)
{
	if (r->state->silence == RESP_SKIP_NEXT)
		r->state->silence = RESP_SKIP;
	else if (r->state->silence == RESP_SKIP)
		r->state->silence = RESP_HEARD;
}

/* Without a message; ECHO always has one. */
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

/* The client asks for this section. */
static bool
commands_wants(const struct resp_state *state, const char *section)
{
	static const char *const all[] = { "all", "default", "everything" };

	for (int n = 1; n < state->arguments; n++) {
		if (arguments_is(state, n, section))
			return true;
		for (size_t i = 0; i < COUNT(all); i++)
			if (arguments_is(state, n, all[i]))
				return true;
	}
	return state->arguments == 1;
}

/* A handler knows its own connection, so there are no counts of clients. */
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
	for (size_t n = 0; n < COUNT(sections); n++) {
		if (!commands_wants(r->state, sections[n].name))
			continue;
		if (text[0] != '\0')
			strcat(text, "\r\n");
		strcat(text, sections[n].text);
	}
	reply_text(r, text);
}

/* A set of the words, each as a status or as a string. */
static void
commands_words(struct resp *r, const char *words, bool status)
{
	size_t n = *words != '\0';

	for (const char *p = words; *p != '\0'; p++)
		n += *p == ' ';
	reply_set(r, n);
	for (; *words != '\0'; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (!status) {
			reply_bulk(r, words, n);
			continue;
		}
		reply_raw(r, "+");
		reply_bytes(r, words, n);
		reply_raw(r, "\r\n");
	}
}

/* No command has keys, and subcommands are not described. */
static void
commands_row(struct resp *r, const struct command *c)
{
	if (c == NULL) {
		reply_null(r);
		return;
	}
	reply_array(r, 10);
	reply_string(r, c->name);
	reply_integer(r, c->arity);
	commands_words(r, c->about->flags, true);
	for (int n = 0; n < 3; n++)
		reply_integer(r, 0);
	commands_words(r, c->about->categories, true);
	commands_words(r, c->about->tips, false);
	reply_set(r, 0);
	reply_set(r, 0);
}

static void
commands_all(struct resp *r)
{
	reply_array(r, COUNT(commands));
	for (size_t n = 0; n < COUNT(commands); n++)
		commands_row(r, &commands[n]);
}

static void
commands_rows(struct resp *r)
{
	if (r->state->arguments == 2) {
		commands_all(r);
		return;
	}
	reply_array(r, (size_t)r->state->arguments - 2);
	for (int n = 2; n < r->state->arguments && !r->full; n++)
		commands_row(r, commands_find_argument(r->state, n));
}

static void
commands_count(struct resp *r)
{
	reply_integer(r, COUNT(commands));
}

/* The command is asked for, or all are. */
static bool
commands_documents(const struct resp_state *state, const struct command *c)
{
	for (int n = 2; n < state->arguments; n++)
		if (arguments_is(state, n, c->name))
			return true;
	return state->arguments == 2;
}

static void
commands_docs(struct resp *r)
{
	size_t found = 0;

	for (size_t n = 0; n < COUNT(commands); n++)
		found += commands_documents(r->state, &commands[n]);
	reply_map(r, found);
	for (size_t n = 0; n < COUNT(commands); n++) {
		const struct command *c = &commands[n];

		if (!commands_documents(r->state, c))
			continue;
		reply_string(r, c->name);
		reply_map(r, 3);
		reply_string(r, "summary");
		reply_string(r, c->about->summary);
		reply_string(r, "since");
		reply_string(r, c->about->since);
		reply_string(r, "group");
		reply_string(r, c->about->group);
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
	reply_array(r, COUNT(commands));
	for (size_t n = 0; n < COUNT(commands); n++)
		reply_string(r, commands[n].name);
}

static void
commands_help(struct resp *r)
{
	const struct command *c = commands_find_argument(r->state, 0);

	reply_array(r, commands_subs(c));
	for (size_t n = 0; n < COUNT(subcommands); n++)
		if (commands_is_sub(c, &subcommands[n]))
			reply_status(r, subcommands[n].name);
}
