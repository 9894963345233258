/* SPDX-License-Identifier: ISC */
/*
 * echod: parsing the arguments and starting what they ask for.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "commands/check.h"
#include "commands/dump.h"
#include "commands/signal.h"
#include "config/origin.h"
#include "config/reader.h"
#include "config/validate.h"
#include "config/value.h"
#include "lib/exit_status.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/signals.h"
#include "lib/title.h"
#include "master/start/start.h"
#include "master/start/test.h"
#include "master/upgrade/executable.h"
#include "master/upgrade/record.h"
#include "master/upgrade/resume.h"
#include "worker/loop.h"

#define OVERRIDES_MAX 64

enum action {
	ACTION_SERVE,
	ACTION_TEST,
	ACTION_DUMP,
	ACTION_CHECK,
	ACTION_SIGNAL
};

struct arguments {
	enum action action;
	const char *file; /* -c, or NULL */
	const char *override[OVERRIDES_MAX];
	unsigned overrides;
	const char *signal; /* -s */
};

static struct arguments arguments;

static const char usage_text[] =
    "usage: echod [-c file | file] [-o name=value] ... [-t | -T | --check |\n"
    "             -s signal]\n"
    "       echod -h | -v\n"
    "\n"
    "  -c, --config FILE       read FILE; without it ./redis.conf if there "
    "is one\n"
    "  -o, --option NAME=VALUE override a directive; may be repeated\n"
    "  -t, --test              test the configuration and exit: 0 or 78\n"
    "  -T, --dump              print the configuration and the origin of each "
    "value\n"
    "      --check             ask the running service for an echo: exit 0 "
    "or 1\n"
    "  -s, --signal SIGNAL     reload, stop, kill or reopen the service that "
    "has\n"
    "                          the configuration's pid file; or tell its "
    "status\n"
    "  -v, --version           print the version\n"
    "  -h, --help              print this\n"
    "\n"
    "See echod(8) and echod.conf(5).\n";

/* Choose the action.  Two actions are an error, since only one would be
 * done. */
static void
main_choose(struct arguments *a, enum action action)
{
	static const char *const names[] = { "", "-t", "-T", "--check", "-s" };

	if (a->action != ACTION_SERVE &&
	    (a->action != action || action == ACTION_SIGNAL)) {
		log_warnx("%s and %s: one at a time", names[a->action],
		    names[action]);
		exit(EXIT_USAGE);
	}
	a->action = action;
}

static void
main_choose_file(struct arguments *a, const char *file)
{
	if (file[0] == '\0') {
		log_warnx("-c: the name of the file is empty");
		exit(EXIT_USAGE);
	}
	a->file = file;
}

/* The configuration may be given without -c, as with redis-server. */
static void
main_take_rest(struct arguments *a, int argc, char **argv)
{
	if (argc == 0)
		return;
	if (argc == 1 && a->file == NULL && argv[0][0] != '\0' &&
	    !signal_knows(argv[0])) {
		a->file = argv[0];
		return;
	}
	log_warnx("unexpected argument: %s%s%s",
	    argv[argc > 1 && a->file == NULL ? 1 : 0],
	    signal_knows(argv[0]) ? "; did you mean -s " : "",
	    signal_knows(argv[0]) ? argv[0] : "");
	exit(EXIT_USAGE);
}

static void
main_parse_arguments(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "option", required_argument, NULL, 'o' },
		{ "test", no_argument, NULL, 't' },
		{ "dump", no_argument, NULL, 'T' },
		{ "check", no_argument, NULL, 'C' },
		{ "signal", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(a, 0, sizeof(*a));
	while ((c = getopt_long(argc, argv, "c:o:tTs:vh", options, NULL)) != -1)
		switch (c) {
		case 'c':
			main_choose_file(a, optarg);
			break;
		case 'o':
			if (a->overrides == OVERRIDES_MAX) {
				log_warnx("more than %d times -o",
				    OVERRIDES_MAX);
				exit(EXIT_USAGE);
			}
			a->override[a->overrides++] = optarg;
			break;
		case 't':
			main_choose(a, ACTION_TEST);
			break;
		case 'T':
			main_choose(a, ACTION_DUMP);
			break;
		case 'C':
			main_choose(a, ACTION_CHECK);
			break;
		case 's':
			if (!signal_knows(optarg)) {
				log_warnx("-s %s: not reload, stop, kill, "
					  "reopen or status",
				    optarg);
				exit(EXIT_USAGE);
			}
			main_choose(a, ACTION_SIGNAL);
			a->signal = optarg;
			break;
		case 'v':
			puts("echod " PACKAGE_VERSION);
			exit(EXIT_CLEAN);
		case 'h':
			fputs(usage_text, stdout);
			exit(EXIT_CLEAN);
		default:
			fputs("Try echod -h.\n", stderr);
			exit(EXIT_USAGE);
		}
	main_take_rest(a, argc - optind, argv + optind);
}

/* The hard limit of descriptors, up to which we can raise the soft limit. */
static unsigned long
main_most_descriptors(void)
{
	struct rlimit rl;

	return getrlimit(RLIMIT_NOFILE, &rl) == 0 ? rl.rlim_max : 1024;
}

/* The path of the configuration; NULL if there is none.  A daemon has left the
 * directory that a relative path starts at, so the path is made absolute. */
static const char *
main_find_file(const struct arguments *a)
{
	static char path[PATH_MAX];
	char cwd[PATH_MAX];
	const char *name = a->file != NULL ? a->file : CONFIG_DEFAULT_FILE;

	if (name[0] != '/' && executable_directory()[0] != '\0' &&
	    (getcwd(cwd, sizeof(cwd)) == NULL ||
		strcmp(cwd, executable_directory()) != 0)) {
		snprintf(path, sizeof(path), "%s/%s", executable_directory(),
		    name);
		name = path;
	}
	/* The default file may be missing.  If it cannot be reached, reading it
	 * is an error. */
	return a->file == NULL && access(name, F_OK) == -1 && errno == ENOENT
	    ? NULL
	    : name;
}

/* Load the configuration.  A start and a test need all of it to be right; a
 * command that asks the service needs only the directives that it uses. */
static int
main_load(struct config *c, struct config_error *e)
{
	const struct arguments *a = &arguments;
	const char *file = main_find_file(a);

	config_defaults(c);
	c->forgiving = a->action != ACTION_SERVE && a->action != ACTION_TEST;
	if (file != NULL && config_read_file(c, file, e) == -1)
		return -1;
	for (unsigned i = 0; i < a->overrides; i++)
		if (config_override(c, a->override[i], e) == -1)
			return -1;
	return config_validate(c, executable_directory(),
	    main_most_descriptors(), e);
}

/* Whether the directive has the value that the service has, as far as the
 * command needs to know. */
static bool
main_is_known(const struct config *c, const char *name, enum doubt least)
{
	struct config_error e;

	if (config_need(c, name, least, &e) == 0)
		return true;
	log_warnx("%s", e.text);
	return false;
}

static int
main_ask(const struct config *c)
{
	/* The handler decides which answer is right. */
	if (arguments.action == ACTION_CHECK)
		return main_is_known(c, "bind", DOUBT_MAYBE) &&
			main_is_known(c, "port", DOUBT_MAYBE) &&
			main_is_known(c, "handler", DOUBT_SURE) &&
			main_is_known(c, "proxy-protocol", DOUBT_SURE)
		    ? check(c)
		    : EXIT_CONFIG;
	if (!main_is_known(c, "pidfile", DOUBT_MAYBE))
		return EXIT_CONFIG;
	if (c->pidfile[0] == '\0' && c->mistakes > 0) {
		log_warnx("%s", c->mistake);
		return EXIT_CONFIG;
	}
	return signal_send(c, arguments.signal);
}

/* The record of the program that this process ran before; NULL if there is
 * none. */
static struct upgrade_record *
main_inherit(void)
{
	static struct upgrade_record t;
	char why[256] = "";
	int r = record_inherit(&t, why, sizeof(why));

	if (r == 0)
		return NULL;
	if (r == 1 && arguments.action == ACTION_SERVE && t.pid != getpid()) {
		snprintf(why, sizeof(why), "takeover: meant for process %d",
		    t.pid);
		r = -1;
	}
	if (r == -1) {
		log_warnx("%s", why);
		exit(EXIT_NOT_STARTED);
	}
	executable_inherit(t.program, t.directory);
	return &t;
}

int
main(int argc, char **argv, char **envp)
{
	static struct config config;
	struct config_error e;
	struct upgrade_record *before;

	output_guard("echod", EXIT_NOT_STARTED);
	signals_ignore(SIGXFSZ);
	limits_raise();
	if (executable_init(argc, argv) == -1) {
		log_warn("arguments");
		return EXIT_NOT_STARTED;
	}
	title_init(argc, argv, envp);
	main_parse_arguments(&arguments, argc, argv);
	before = main_inherit();
	if (arguments.action == ACTION_SERVE)
		output_release();
	if (before != NULL && arguments.action == ACTION_SERVE)
		return resume_service(&config, before, main_load, worker_main);
	if (main_load(&config, &e) == -1) {
		log_warnx("%s", e.text);
		return EXIT_CONFIG;
	}
	switch (arguments.action) {
	case ACTION_TEST:
		return test_configuration(&config, before);
	case ACTION_DUMP:
		return dump(&config);
	case ACTION_CHECK:
	case ACTION_SIGNAL:
		return main_ask(&config);
	default:
		return start_service(&config, worker_main);
	}
}
