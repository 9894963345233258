/* SPDX-License-Identifier: ISC */
/*
 * The command line.
 */
#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <bsd/stdlib.h>

#include "echoload.h"

/* Sockets beside those of connections: epoll instances, files read, 0 to 2. */
#define OTHER_DESCRIPTORS 16

static const char usage_text[] =
    "usage: echoload [-h host] [-p port] [-c connections] [-i idle] [-s size]\n"
    "                [-P pipeline] [-T threads] [-d seconds] [-w warmup]\n"
    "                [-n messages] [-r rate] [--churn] [--no-check]\n"
    "                [--cgroup dir | --pid pid] [--json] [--label text] [-q]\n"
    "       echoload --help | --version\n"
    "\n"
    "  -h HOST       the server (127.0.0.1)\n"
    "  -p PORT       its port (6379)\n"
    "  -c COUNT      connections that send (50)\n"
    "  -i COUNT      connections that stay silent besides (0)\n"
    "  -s BYTES      size of a message, its newline included (64)\n"
    "  -P COUNT      messages a connection sends at once (1)\n"
    "  -T COUNT      threads (1)\n"
    "  -d SECONDS    measuring period (5; with -n until that is reached)\n"
    "  -w SECONDS    warm-up before it (1)\n"
    "  -n COUNT      end after so many measured messages\n"
    "  -r RATE       open loop: messages/s of all connections together,\n"
    "                latency from the time a message was due\n"
    "  --churn       a new connection for each message\n"
    "  --no-check    count the bytes that come back, do not compare them\n"
    "  --cgroup DIR  CPU and memory of the server's control group\n"
    "  --pid PID     the same of a process and its descendants, coarsely\n"
    "  --json        report as one line of JSON\n"
    "  --label TEXT  a name for the run, repeated in the report\n"
    "  -q            no progress and no warnings\n"
    "\n"
    "See echoload(1).\n";

static void __attribute__((noreturn, format(printf, 1, 2)))
usage_error(const char *format, ...)
{
	va_list ap;

	fputs("echoload: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("\nTry echoload --help.\n", stderr);
	exit(EXIT_USAGE);
}

static long long
number(const char *option, const char *text, long long min, long long max)
{
	const char *reason = "not a plain decimal number";
	long long n = 0;

	/* strtonum(3) alone would let pass " 7" and "+7". */
	if (isdigit((unsigned char)text[0]))
		n = strtonum(text, min, max, &reason);
	if (reason != NULL)
		usage_error("%s %s: %s (%lld to %lld)", option, text, reason,
		    min, max);
	return n;
}

static unsigned
small(const char *option, const char *text, unsigned min, unsigned max)
{
	return (unsigned)number(option, text, min, max);
}

/* Options that do not go together, and what they ask too much of. */
static void
check_arguments(struct options *o)
{
	unsigned long need = (unsigned long)o->connections + o->idle +
	    o->threads + OTHER_DESCRIPTORS;
	struct rlimit rl;

	if (o->churn && o->rate > 0)
		usage_error("-r and --churn do not go together");
	if (o->pipeline > 1 && (o->churn || o->rate > 0))
		usage_error("-P and %s do not go together",
		    o->churn ? "--churn" : "-r");
	if (o->size * o->pipeline > BURST_MAX)
		usage_error("-s %zu and -P %u make bursts of more than %d "
			    "bytes",
		    o->size, o->pipeline, BURST_MAX);
	if (o->threads > o->connections)
		usage_error("-T %u is more than -c %u", o->threads,
		    o->connections);
	if (o->cgroup != NULL && o->pid > 0)
		usage_error("--cgroup and --pid do not go together");
	if (o->cgroup != NULL && server_cpu(o) < 0)
		usage_error("--cgroup %s: no cpuacct.usage and no cpu.stat "
			    "with usage_usec to be read there",
		    o->cgroup);
	if (o->pid > 0 && server_cpu(o) < 0)
		usage_error("--pid %u: no such process", o->pid);
	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < need)
		usage_error("-c %u and -i %u need %lu descriptors; the hard "
			    "limit is %lu (ulimit -Hn)",
		    o->connections, o->idle, need, (unsigned long)rl.rlim_max);
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

void
parse_arguments(struct options *o, int argc, char **argv)
{
	enum {
		CHURN = 256,
		NO_CHECK,
		CGROUP,
		PID,
		JSON,
		LABEL,
		HELP,
		SHOW_VERSION
	};
	static const struct option options[] = {
		{ "churn", no_argument, NULL, CHURN },
		{ "no-check", no_argument, NULL, NO_CHECK },
		{ "cgroup", required_argument, NULL, CGROUP },
		{ "pid", required_argument, NULL, PID },
		{ "json", no_argument, NULL, JSON },
		{ "label", required_argument, NULL, LABEL },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, SHOW_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	bool timed = false;
	int c;

	*o = (struct options){
		.host = "127.0.0.1",
		.port = "6379",
		.label = "",
		.connections = 50,
		.pipeline = 1,
		.threads = 1,
		.size = 64,
		.seconds = 5,
		.warmup = 1,
		.check = true,
	};
	while ((c = getopt_long(argc, argv, "h:p:c:i:s:P:T:d:w:n:r:q", options,
		    NULL)) != -1)
		switch (c) {
		case 'h':
			o->host = optarg;
			break;
		case 'p':
			(void)small("-p", optarg, 1, 65535);
			o->port = optarg;
			break;
		case 'c':
			o->connections = small("-c", optarg, 1, 1000000);
			break;
		case 'i':
			o->idle = small("-i", optarg, 0, 1000000);
			break;
		case 's':
			o->size = small("-s", optarg, 1, 16 << 20);
			break;
		case 'P':
			o->pipeline = small("-P", optarg, 1, 1000000);
			break;
		case 'T':
			o->threads = small("-T", optarg, 1, 1024);
			break;
		case 'd':
			o->seconds = small("-d", optarg, 1, 1000000);
			timed = true;
			break;
		case 'w':
			o->warmup = small("-w", optarg, 0, 1000000);
			break;
		case 'n':
			o->messages = (uint64_t)number("-n", optarg, 1,
			    1000000000000);
			break;
		case 'r':
			o->rate = (uint64_t)number("-r", optarg, 1, 100000000);
			break;
		case 'q':
			o->quiet = true;
			break;
		case CHURN:
			o->churn = true;
			break;
		case NO_CHECK:
			o->check = false;
			break;
		case CGROUP:
			o->cgroup = optarg;
			break;
		case PID:
			o->pid = small("--pid", optarg, 1, 1 << 30);
			break;
		case JSON:
			o->json = true;
			break;
		case LABEL:
			o->label = optarg;
			break;
		case HELP:
			fputs(usage_text, stdout);
			exit(EXIT_GOOD);
		case SHOW_VERSION:
			puts("echoload " PACKAGE_VERSION);
			exit(EXIT_GOOD);
		default:
			fputs("Try echoload --help.\n", stderr);
			exit(EXIT_USAGE);
		}
	if (optind < argc)
		usage_error("unexpected argument: %s", argv[optind]);
	if (o->messages > 0 && !timed)
		o->seconds = 0;
	check_arguments(o);
}
