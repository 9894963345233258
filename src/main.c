/*
 * echod: arguments, the order of starting up, the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bsd/libutil.h>
#include <bsd/unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/title.h"
#include "check.h"
#include "config/config.h"
#include "handler/handler.h"
#include "master/daemonize.h"
#include "master/listen.h"
#include "master/master.h"
#include "master/privileges.h"
#include "master/supervise.h"
#include "worker/worker.h"

#define OVERRIDES_MAX 64

enum action { ACTION_SERVE, ACTION_TEST, ACTION_DUMP, ACTION_CHECK };

struct arguments {
	enum action action;
	const char *file;		/* -c, or NULL */
	const char *override[OVERRIDES_MAX];
	unsigned overrides;
};

static const char usage_text[] =
    "usage: echod [-c file] [-o name=value] ... [-t | -T | --check]\n"
    "       echod -h | -v\n"
    "\n"
    "  -c, --config FILE       read FILE; without it ./redis.conf if there "
    "is one\n"
    "  -o, --option NAME=VALUE override a directive; may be repeated\n"
    "  -t, --test              test the configuration and exit: 0 or 78\n"
    "  -T, --dump              print the configuration and where each value "
    "is from\n"
    "      --check             ask the running service for an echo: exit 0 "
    "or 1\n"
    "  -v, --version           print the version\n"
    "  -h, --help              print this\n"
    "\n"
    "See echod(8) and echod.conf(5).\n";

static void
parse_arguments(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "option", required_argument, NULL, 'o' },
		{ "test", no_argument, NULL, 't' },
		{ "dump", no_argument, NULL, 'T' },
		{ "check", no_argument, NULL, 'C' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(a, 0, sizeof(*a));
	while ((c = getopt_long(argc, argv, "c:o:tTvh", options, NULL)) != -1)
		switch (c) {
		case 'c':
			a->file = optarg;
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
			a->action = ACTION_TEST;
			break;
		case 'T':
			a->action = ACTION_DUMP;
			break;
		case 'C':
			a->action = ACTION_CHECK;
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
	if (optind < argc) {
		log_warnx("unexpected argument: %s", argv[optind]);
		exit(EXIT_USAGE);
	}
}

/* The hard limit of descriptors, up to which we may go by ourselves. */
static unsigned long
most_descriptors(void)
{
	struct rlimit rl;

	return getrlimit(RLIMIT_NOFILE, &rl) == 0 ? rl.rlim_max : 1024;
}

/* Build the configuration, or exit with 78. */
static void
load(struct config *c, const struct arguments *a)
{
	const char *file = a->file;
	struct config_error e;
	int bad = 0;

	config_defaults(c);
	if (file == NULL && access(CONFIG_DEFAULT_FILE, F_OK) == 0)
		file = CONFIG_DEFAULT_FILE;
	if (file != NULL)
		bad = config_read_file(c, file, &e) == -1;
	for (unsigned i = 0; i < a->overrides && !bad; i++)
		bad = config_override(c, a->override[i], &e) == -1;
	if (bad || config_resolve(c, most_descriptors(), &e) == -1) {
		log_warnx("%s", e.text);
		exit(EXIT_CONFIG);
	}
}

/* A listener must never get the number of a standard stream, nor an inherited
 * descriptor one of ours. */
static void
tidy_descriptors(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) != -1)
		if (fd > STDERR_FILENO) {
			close(fd);
			break;
		}
	closefrom(STDERR_FILENO + 1);
}

/* Exactly as many descriptors as the arena has records. */
static int
limit_descriptors(unsigned descriptors)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return -1;
	rl.rlim_cur = descriptors;
	return setrlimit(RLIMIT_NOFILE, &rl);
}

static int
open_log(const struct config *c, const struct identity *id)
{
	struct log_settings s = {
		.level = (int)c->loglevel,
		.console = c->daemonize ? STDERR_FILENO : STDOUT_FILENO,
		.console_level = c->daemonize ? LOG_LEVEL_WARNING :
		    LOG_LEVEL_DEBUG,
		.file = c->logfile[0] != '\0' ? c->logfile : NULL,
		.uid = id->uid,
		.gid = id->gid,
		.syslog = c->syslog_enabled,
		.syslog_ident = c->syslog_ident,
		.syslog_facility = (int)c->syslog_facility,
	};

	return log_open(&s);
}

/* What a reader of the log should know of the configuration. */
static void
report(const struct config *c)
{
	if (c->ignored.count > 0)
		log_notice("%s: %u Redis directives mean nothing here: %s",
		    c->file, c->ignored.count, c->ignored.names);
	if (*config_note(c, "maxclients") != '\0')
		log_warnx("maxclients %u: %s", c->maxclients,
		    config_note(c, "maxclients"));
	if (c->supervised == SUPERVISED_SYSTEMD && !supervise_wanted())
		log_warnx("supervised systemd: NOTIFY_SOCKET is not set");
	if (geteuid() == 0)
		log_warnx("running as root; set `user` to give that up");
	if (c->daemonize && c->logfile[0] == '\0' && !c->syslog_enabled)
		log_warnx("daemonize without logfile or syslog-enabled: "
		    "messages go nowhere");
}

/*
 * Everything that can fail or needs root, in this order: the pid file (is
 * there another one of us?), the arena, the listeners, the log, then root is
 * given up and the workers start.  Returns 0, or -1 with the reason logged.
 */
static int
start(struct master *m, const struct config *c, struct pidfh **pidfile)
{
	unsigned descriptors = c->maxclients + config_reserved_descriptors(c);
	struct identity id = privileges_identity(c);
	pid_t other = -1;

	if (c->pidfile[0] != '\0') {
		*pidfile = pidfile_open(c->pidfile, 0644, &other);
		if (*pidfile == NULL && errno == EEXIST) {
			log_warnx("pidfile %s: already running, pid %ld",
			    c->pidfile, (long)other);
			return -1;
		}
		if (*pidfile == NULL) {
			log_warn("pidfile %s", c->pidfile);
			return -1;
		}
	}
	if (limit_descriptors(descriptors) == -1 ||
	    arena_create(&m->arena, CONFIG_WORKERS_MAX, descriptors) == -1) {
		log_warn("arena for %u descriptors", descriptors);
		return -1;
	}
	if (listen_open(&m->arena, c) == -1)
		return -1;
	if (open_log(c, &id) == -1) {
		log_warn("logfile %s", log_path());
		return -1;
	}
	if (privileges_drop(c, &id) == -1) {
		log_warn("user %s", c->user);
		return -1;
	}
	log_notice("echod " PACKAGE_VERSION ", %u workers, handler %s, "
	    "maxclients %u, configuration %s", c->workers,
	    handler_of((enum handler_kind)c->handler)->name, c->maxclients,
	    c->file[0] != '\0' ? c->file : "built in");
	report(c);
	listen_report(&m->arena, c);
	if (master_start(m) == -1)
		return -1;
	if (*pidfile != NULL && pidfile_write(*pidfile) == -1)
		log_warn("pidfile %s", c->pidfile);
	return 0;
}

static int
serve_until_stopped(const struct config *c)
{
	static struct master m;
	struct pidfh *pidfile = NULL;
	char state[512];
	int status;

	m.config = c;
	m.entry = worker_main;
	signals_block();
	tidy_descriptors();
	if (c->daemonize && daemonize() == -1) {
		log_warn("daemonize");
		return EXIT_NOT_STARTED;
	}
	if (start(&m, c, &pidfile) == -1) {
		pidfile_remove(pidfile);
		return EXIT_NOT_STARTED;
	}
	title_set("master [%s]", listen_names(&m.arena));
	log_notice("ready on %s after %llu ms", listen_names(&m.arena),
	    (unsigned long long)(clock_ms() - m.arena.header->started));
	if (c->supervised != SUPERVISED_NO)
		supervise_enable();
	snprintf(state, sizeof(state), "READY=1\nMAINPID=%ld\n"
	    "STATUS=Serving on %s with %u workers", (long)getpid(),
	    listen_names(&m.arena), c->workers);
	supervise_notify(state);
	daemonize_ready();
	status = master_run(&m);
	/* Where its directory does not let us remove it, it shall at least not
	 * name a process that may be somebody else by then. */
	if (pidfile != NULL)
		(void)!ftruncate(pidfile_fileno(pidfile), 0);
	pidfile_remove(pidfile);
	return status;
}

int
main(int argc, char **argv, char **envp)
{
	static struct config config;
	struct arguments arguments;

	title_init(argc, argv, envp);
	parse_arguments(&arguments, argc, argv);
	load(&config, &arguments);
	switch (arguments.action) {
	case ACTION_TEST:
		printf("echod: configuration %s is ok\n",
		    config.file[0] != '\0' ? config.file : "(built in)");
		return EXIT_CLEAN;
	case ACTION_DUMP:
		if (config_dump(&config, stdout) == 0)
			return EXIT_CLEAN;
		log_warn("standard output");
		return EXIT_NOT_STARTED;
	case ACTION_CHECK:
		return check(&config);
	default:
		return serve_until_stopped(&config);
	}
}
