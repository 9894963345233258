/*
 * Signals to the running service: echod -s.
 */
#include "send.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "master/master.h"
#include "master/pidfile.h"

static const struct {
	const char *name;
	int signo;
} known[] = {
	{ "reload", SIGUSR2 },
	{ "stop", SIGTERM },
	{ "reopen", SIGUSR1 },
};

static int
find(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].signo;
	return 0;
}

bool
send_knows(const char *name)
{
	return find(name) != 0;
}

int
send_signal(const struct config *c, const char *name)
{
	pid_t pid;

	if (c->pidfile[0] == '\0') {
		log_warnx("-s %s: the configuration names no pidfile", name);
		return EXIT_NOT_STARTED;
	}
	pid = pidfile_holder(c->pidfile);
	if (pid == -1) {
		log_warn("-s %s: pidfile %s", name, c->pidfile);
		return EXIT_NOT_STARTED;
	}
	/* A file that nobody holds names nobody, whatever it says. */
	if (pid == 0) {
		log_warnx("-s %s: no echod is running with pidfile %s", name,
		    c->pidfile);
		return EXIT_NOT_STARTED;
	}
	if (kill(pid, find(name)) == -1) {
		log_warn("-s %s: pid %ld", name, (long)pid);
		return EXIT_NOT_STARTED;
	}
	return EXIT_CLEAN;
}
