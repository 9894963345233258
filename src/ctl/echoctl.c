/*
 * echoctl: arguments, and the request they amount to.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/output.h"
#include "config/config.h"
#include "config/origin.h"
#include "config/reader.h"
#include "config/value.h"
#include "ctl/ask.h"
#include "ctl/rows.h"
#include "ctl/top.h"

enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/* How long a reload may take, ms: more than the master's own patience. */
#define RELOAD_PATIENCE 30000

struct arguments {
	const char *socket, *file;
	struct rows_wish rows;
	unsigned rounds;
	int words;
	char **word;
};

static const char usage_text[] =
    "usage: echoctl [-s socket | -c file] [--json] command [argument]\n"
    "\n"
    "  status                  the service on one screen\n"
    "  workers [NUMBER]        its workers; or how many there shall be\n"
    "  connections             its clients\n"
    "      --sort KEY              by peer, worker, age, idle, in or out\n"
    "      --worker NUMBER         only those of a worker\n"
    "      --peer PREFIX           only those whose address begins so\n"
    "  top [--count NUMBER]    rates, live; q quits\n"
    "  metrics                 all numbers, for Prometheus\n"
    "  config                  every directive and where it is from\n"
    "  reload                  reload program and configuration, and wait\n"
    "  stop                    stop the service\n"
    "  reopen                  open the log file anew\n"
    "  close ADDRESS:PORT      close a client's connection\n"
    "  loglevel [LEVEL]        debug, verbose, notice or warning\n"
    "  drain [on|off]          let health checks fail, or succeed again\n"
    "\n"
    "  -s, --socket PATH       the control socket\n"
    "  -c, --config FILE       the configuration that names it\n"
    "  -j, --json              answer in JSON\n"
    "  -v, --version           print the version\n"
    "  -h, --help              print this\n"
    "\n"
    "See echoctl(8).\n";

static void __attribute__((noreturn))
usage(const char *why, const char *what)
{
	ask_warnx("%s%s; try echoctl -h", why, what);
	exit(CTL_USAGE);
}

static unsigned
number(const char *text)
{
	const char *reason;
	long long n = strtonum(text, 1, 1000000, &reason);

	if (reason != NULL)
		usage("not a number: ", text);
	return (unsigned)n;
}

static void
parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "sort", required_argument, NULL, 'S' },
		{ "worker", required_argument, NULL, 'W' },
		{ "peer", required_argument, NULL, 'P' },
		{ "count", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(a, 0, sizeof(*a));
	while ((c = getopt_long(argc, argv, "s:c:jvh", options, NULL)) != -1)
		switch (c) {
		case 's':
			a->socket = optarg;
			break;
		case 'c':
			a->file = optarg;
			break;
		case 'j':
			a->rows.json = true;
			break;
		case 'S':
			if (!rows_knows(optarg))
				usage("cannot sort by ", optarg);
			a->rows.sort = optarg;
			break;
		case 'W':
			a->rows.worker = optarg;
			break;
		case 'P':
			a->rows.peer = optarg;
			break;
		case 'n':
			a->rounds = number(optarg);
			break;
		case 'v':
			puts("echoctl " PACKAGE_VERSION);
			exit(CTL_OK);
		case 'h':
			fputs(usage_text, stdout);
			exit(CTL_OK);
		default:
			fputs("Try echoctl -h.\n", stderr);
			exit(CTL_USAGE);
		}
	a->words = argc - optind;
	a->word = argv + optind;
	if (a->words == 0)
		usage("no command", "");
}

/* Read `file` for the path of the socket; NULL if it names none. */
static const char *
socket_of(const char *file)
{
	static struct config c;
	struct config_error e;

	config_defaults(&c);
	/* A mistake elsewhere must not keep anybody from asking. */
	c.forgiving = true;
	(void)config_read_file(&c, file, &e);
	if (config_need(&c, "control-socket", DOUBT_MAYBE, &e) == -1 ||
	    (c.control_socket[0] == '\0' && c.mistakes > 0)) {
		ask_warnx("%s", c.mistake);
		exit(CTL_FAILED);
	}
	return c.control_socket[0] != '\0' ? c.control_socket : NULL;
}

/* None of the files that are looked for names a socket: say what was found. */
static void __attribute__((noreturn))
socket_unknown(const char *const *files, size_t count)
{
	const char *read = NULL;

	for (size_t i = 0; i < count; i++)
		if (access(files[i], R_OK) == 0)
			read = files[i];
		else if (errno != ENOENT) {
			ask_warnx("%s: %s; name the control socket with -s",
			    files[i], strerror(errno));
			exit(CTL_FAILED);
		}
	if (read != NULL)
		ask_warnx("%s names no control-socket; set it there and reload "
		    "echod, or name it with -s", read);
	else
		ask_warnx("no control socket is known: there is neither %s "
		    "here nor %s; name the socket with -s, or the "
		    "configuration of echod with -c", files[0], files[1]);
	exit(CTL_FAILED);
}

/* Where echod itself would look, and then where a package puts it. */
static const char *
find_socket(const struct arguments *a)
{
	static const char *const files[] = { CONFIG_DEFAULT_FILE,
		SYSCONFDIR "/echod/" CONFIG_DEFAULT_FILE };
	const char *path = NULL;

	if (a->socket != NULL)
		return a->socket;
	if (a->file != NULL)
		path = socket_of(a->file);
	for (size_t i = 0; a->file == NULL && path == NULL && i < 2; i++)
		if (access(files[i], R_OK) == 0)
			path = socket_of(files[i]);
	if (path == NULL)
		socket_unknown(a->file != NULL ? &a->file : files,
		    a->file != NULL ? 1 : 2);
	return path;
}

static int
print(const char *answer, bool json)
{
	bool failed = ask_is_error(answer);

	if (failed && !json)
		fprintf(stderr, "echoctl: %s", answer + strlen("error: "));
	else
		fputs(answer, stdout);
	return failed ? CTL_FAILED : CTL_OK;
}

static int
pass(const char *path, const struct arguments *a)
{
	char request[1000];
	char *answer;
	int status;

	strlcpy(request, a->rows.json ? "json" : "", sizeof(request));
	for (int i = 0; i < a->words; i++) {
		if (request[0] != '\0')
			strlcat(request, " ", sizeof(request));
		if (strlcat(request, a->word[i], sizeof(request)) >=
		    sizeof(request))
			usage("too long: ", a->word[i]);
	}
	answer = ask(path, request);
	if (answer == NULL)
		return CTL_FAILED;
	status = print(answer, a->rows.json);
	free(answer);
	return status;
}

/* How often reloads came to pass, and how often not.  A master that is being
 * executed anew may close without an answer. */
struct tally {
	double done, refused;
	bool busy;
};

static bool
count_reloads(const char *path, struct tally *t)
{
	char *answer = ask_quietly(path, "json status");

	if (answer == NULL)
		return false;
	t->done = ask_number(answer, "reloads");
	t->refused = ask_number(answer, "reloads_refused");
	t->busy = strstr(answer, "\"mode\":\"reloading\"") != NULL;
	free(answer);
	return true;
}

/* Why the last reload was refused or failed, from the status; to be freed, or
 * NULL. */
static char *
refusal(const char *path)
{
	static const char key[] = "\nrefused ";
	char *answer = ask_quietly(path, "status"), *line, *reason = NULL;

	line = answer == NULL ? NULL : strstr(answer, key);
	if (line != NULL) {
		line += sizeof(key) - 1;
		line += strspn(line, " ");
		line[strcspn(line, "\n")] = '\0';
		reason = strdup(line);
	}
	free(answer);
	return reason;
}

static void
tell_refusal(const char *path, bool json)
{
	char *reason = refusal(path);

	if (!json)
		ask_warnx("the reload was refused%s%s", reason == NULL ?
		    "; the log says why" : ": ", reason == NULL ? "" : reason);
	else {
		fputs("{\"error\":\"reload refused", stdout);
		if (reason != NULL)
			fputs(": ", stdout);
		for (const char *p = reason; p != NULL && *p != '\0'; p++)
			printf(*p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
		puts("\"}");
	}
	free(reason);
}

/* A request that was accepted is not one that was carried out: wait. */
static int
reload(const char *path, const struct arguments *a)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	uint64_t deadline = clock_ms() + RELOAD_PATIENCE;
	struct tally before = { 0, 0, false }, now;
	char *answer;
	bool gone;

	(void)count_reloads(path, &before);
	now = before;
	answer = ask(path, "reload");
	if (answer == NULL)
		return CTL_FAILED;
	if (ask_is_error(answer))
		return print(answer, false);
	free(answer);
	do {
		nanosleep(&moment, NULL);
		now.busy = !count_reloads(path, &now) || now.busy;
		/* The next program takes the socket over as it is; so this is
		 * for good. */
		gone = access(path, F_OK) == -1 && errno == ENOENT;
	} while (!gone && (now.busy || (now.done == before.done &&
	    now.refused == before.refused)) && clock_ms() < deadline);
	if (now.done > before.done) {
		puts(a->rows.json ? "{\"ok\":\"reloaded\"}" : "ok: reloaded");
		return CTL_OK;
	}
	if (!gone && now.refused > before.refused)
		tell_refusal(path, a->rows.json);
	else if (a->rows.json)
		puts(gone ? "{\"error\":\"socket gone\"}" :
		    "{\"error\":\"the reload does not end\"}");
	else if (gone)
		ask_warnx("%s is gone: control-socket has changed, or echod "
		    "has ended", path);
	else
		ask_warnx("the reload does not end");
	return CTL_FAILED;
}

int
main(int argc, char **argv)
{
	struct arguments a;
	const char *path;

	output_guard("echoctl", CTL_FAILED);
	parse(&a, argc, argv);
	path = find_socket(&a);
	if (strcmp(a.word[0], "connections") == 0) {
		if (a.words > 1)
			usage("unexpected argument: ", a.word[1]);
		return rows_print(path, &a.rows);
	}
	if (a.rows.sort != NULL || a.rows.worker != NULL ||
	    a.rows.peer != NULL)
		usage("only connections can be chosen and sorted", "");
	if (strcmp(a.word[0], "top") == 0) {
		if (a.words > 1)
			usage("unexpected argument: ", a.word[1]);
		return top_run(path, a.rounds, a.rows.json);
	}
	if (strcmp(a.word[0], "reload") == 0 && a.words == 1)
		return reload(path, &a);
	return pass(path, &a);
}
