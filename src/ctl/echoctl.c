/* SPDX-License-Identifier: ISC */
/*
 * echoctl: its arguments.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "lib/output.h"
#include "ctl/command.h"
#include "ctl/connections.h"
#include "ctl/find_socket.h"
#include "ctl/message.h"

/* All options.  One of a command is a usage error with another command. */
static const struct echoctl_option {
	char letter;
	bool brief; /* it has a letter on the command line, too */
	const char *name, *argument, *command, *help;
} options[] = {
	{ 'S', false, "sort", "KEY", "connections",
	    "by peer, worker, age, idle, in or out" },
	{ 'W', false, "worker", "NUMBER", "connections",
	    "only those of a worker" },
	{ 'P', false, "peer", "PREFIX", "connections",
	    "only those whose address begins so" },
	{ 'V', false, "service", "NAME", "connections",
	    "only those of a service" },
	{ 'n', false, "count", "NUMBER", "top", "so many times, and end" },
	{ 's', true, "socket", "PATH", NULL, "the control socket" },
	{ 'c', true, "config", "FILE", NULL,
	    "the configuration that names it" },
	{ 'j', true, "json", NULL, NULL, "answer in JSON" },
	{ 'v', true, "version", NULL, NULL, "print the version" },
	{ 'h', true, "help", NULL, NULL, "print this" },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static void __attribute__((noreturn))
echoctl_usage(const char *why, const char *what)
{
	message_warnx("%s%s; try echoctl -h", why, what);
	exit(CTL_USAGE);
}

/* Write the options of `command`; those of all if that is NULL. */
static void
echoctl_list_options(FILE *out, const char *command)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct echoctl_option *o = &options[i];
		int n;

		if ((command == NULL) != (o->command == NULL) ||
		    (command != NULL && strcmp(command, o->command) != 0))
			continue;
		n = o->brief ? fprintf(out, "  -%c, --%s", o->letter, o->name)
			     : fprintf(out, "      --%s", o->name);
		if (o->argument != NULL)
			n += fprintf(out, " %s", o->argument);
		fprintf(out, "%*s%s\n", 26 - n, "", o->help);
	}
}

static void
echoctl_help(void)
{
	puts("usage: echoctl [-s socket | -c file] [--json] command "
	     "[argument]\n");
	command_list(stdout, echoctl_list_options);
	putchar('\n');
	echoctl_list_options(stdout, NULL);
	puts("\nSee echoctl(8).");
}

static unsigned
echoctl_number(const char *text)
{
	const char *reason;
	long long n = strtonum(text, 1, 1000000, &reason);

	if (reason != NULL)
		echoctl_usage("not a number: ", text);
	return (unsigned)n;
}

/* The next option, or NULL after the last one. */
static const struct echoctl_option *
echoctl_next_option(int argc, char **argv)
{
	struct option known[OPTIONS + 1] = { { NULL, 0, NULL, 0 } };
	char letters[2 * OPTIONS + 1], *p = letters;
	int c;

	for (size_t i = 0; i < OPTIONS; i++) {
		known[i].name = options[i].name;
		known[i].has_arg = options[i].argument != NULL
		    ? required_argument
		    : no_argument;
		known[i].val = options[i].letter;
		if (!options[i].brief)
			continue;
		*p++ = options[i].letter;
		if (options[i].argument != NULL)
			*p++ = ':';
	}
	*p = '\0';
	c = getopt_long(argc, argv, letters, known, NULL);
	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].letter == c)
			return &options[i];
	if (c == -1)
		return NULL;
	fputs("Try echoctl -h.\n", stderr);
	exit(CTL_USAGE);
}

static void
echoctl_parse(struct arguments *a, int argc, char **argv)
{
	const struct echoctl_option *o, *of_command = NULL;
	const char *file = NULL;

	memset(a, 0, sizeof(*a));
	while ((o = echoctl_next_option(argc, argv)) != NULL) {
		if (o->command != NULL)
			of_command = o;
		switch (o->letter) {
		case 's':
			a->path = optarg;
			break;
		case 'c':
			file = optarg;
			break;
		case 'j':
			a->json = true;
			break;
		case 'S':
			if (!connections_knows(optarg))
				echoctl_usage("cannot sort by ", optarg);
			a->sort = optarg;
			break;
		case 'W':
			a->worker = optarg;
			break;
		case 'P':
			a->peer = optarg;
			break;
		case 'V':
			a->service = optarg;
			break;
		case 'n':
			a->rounds = echoctl_number(optarg);
			break;
		case 'v':
			puts("echoctl " PACKAGE_VERSION);
			exit(CTL_OK);
		case 'h':
			echoctl_help();
			exit(CTL_OK);
		}
	}
	a->words = argc - optind;
	a->word = argv + optind;
	if (a->words == 0)
		echoctl_usage("no command", "");
	if (of_command != NULL && strcmp(of_command->command, a->word[0]) != 0)
		echoctl_usage("not an option of this command: --",
		    of_command->name);
	if (a->path == NULL)
		a->path = find_socket(file);
}

int
main(int argc, char **argv)
{
	struct arguments a;

	output_guard("echoctl", CTL_FAILED);
	echoctl_parse(&a, argc, argv);
	return command_run(&a);
}
