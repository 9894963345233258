/* SPDX-License-Identifier: ISC */
/*
 * The commands of echoctl: their table, and those that are one request.
 */
#include "ctl/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "ctl/connections.h"
#include "ctl/message.h"
#include "ctl/reload.h"
#include "ctl/request.h"
#include "ctl/top.h"
#include "shared/control_commands.h"

/* The column of --help that tells what a command does. */
#define HELP_COLUMN 26

struct command {
	const char *name;
	int changes; /* see shared/control_commands.h */
	const char *arguments, *outcome, *help;
};

static const struct command commands[] = {
#define ROW(name, least, most, changes, arguments, outcome, help) \
	{ #name, changes, arguments, outcome, help },
#define OWN(name, help) { #name, 0, "", "", help },
	CONTROL_COMMANDS(ROW, OWN)
#undef ROW
#undef OWN
};

/* Those that are more than one request.  They have options, no arguments. */
static const struct special {
	const char *name;
	int (*run)(const struct arguments *a);
} specials[] = {
	{ "connections", connections_run },
	{ "reload", reload_run },
	{ "top", top_run },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct special *
command_special(const char *name)
{
	for (size_t i = 0; i < COUNT(specials); i++)
		if (strcmp(specials[i].name, name) == 0)
			return &specials[i];
	return NULL;
}

/* Where to see whether the request has changed something; NULL if it only
 * reads.  Nobody knows what an unknown one does. */
static const char *
command_outcome(const struct arguments *a)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (strcmp(commands[i].name, a->word[0]) == 0)
			return commands[i].changes > 0 &&
				a->words >= commands[i].changes
			    ? commands[i].outcome
			    : NULL;
	return "echoctl status";
}

/* One request, and what comes of it. */
static int
command_pass(const struct arguments *a)
{
	/* What is cut here is too long for a request, too. */
	char line[2 * CONTROL_REQUEST_BYTES];
	struct request r = { .path = a->path,
		.line = line,
		.outcome = command_outcome(a) };
	char *answer;
	bool ok;

	strlcpy(line, a->json ? CONTROL_JSON : "", sizeof(line));
	for (int i = 0; i < a->words; i++) {
		if (line[0] != '\0')
			strlcat(line, " ", sizeof(line));
		(void)strlcat(line, a->word[i], sizeof(line));
	}
	r.form = a->json	? ANSWER_JSON
	    : r.outcome != NULL ? ANSWER_LINE
				: ANSWER_FRAMED;
	answer = request_ask_loudly(&r);
	if (answer == NULL)
		return CTL_FAILED;
	ok = answer_print(answer, a->json);
	free(answer);
	return ok ? CTL_OK : CTL_FAILED;
}

int
command_run(const struct arguments *a)
{
	const struct special *s = command_special(a->word[0]);

	if (s == NULL)
		return command_pass(a);
	if (a->words == 1)
		return s->run(a);
	message_warnx("unexpected argument: %s; try echoctl -h", a->word[1]);
	return CTL_USAGE;
}

void
command_list(FILE *out, void (*options)(FILE *out, const char *command))
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		const struct command *c = &commands[i];
		const char *arguments = command_special(c->name) == NULL
		    ? c->arguments
		    : "";
		int n = fprintf(out, "  %s%s%s", c->name,
		    arguments[0] != '\0' ? " " : "", arguments);

		if (n > HELP_COLUMN - 2) {
			fputc('\n', out);
			n = 0;
		}
		fprintf(out, "%*s%s\n", HELP_COLUMN - n, "", c->help);
		options(out, c->name);
	}
}
