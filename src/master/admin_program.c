/* SPDX-License-Identifier: ISC */
/*
 * The program that runs as the administration process: finding it, and seeing
 * that it is of this version.
 */
#include "master/admin_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/pidfd.h"
#include "master/reap.h"
#include "master/upgrade/executable.h"
#include "shared/arena.h"
#include "shared/request.h"
#include "shared/layout.h"

#define NAME "echod-admin"
#ifndef PKGLIBEXECDIR
#define PKGLIBEXECDIR "/usr/libexec/echod"
#endif
/* A program that has not said its layout by then is stuck, ms. */
#define PATIENCE 10000

static char found[PATH_MAX];

bool
admin_program_wanted(const struct config *c)
{
	return c->control_socket[0] != '\0' || c->metrics_port != 0;
}

const char *
admin_program_path(void)
{
	return found;
}

/* Where it is, or was to be: beside the file of this program, wherever links
 * lead to that from; as it is installed, seen from there; or where this program
 * was built to be installed. */
static void
admin_program_find(void)
{
	static const char *const places[] = { NAME, "../libexec/echod/" NAME };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n == -1)
		strlcpy(self, executable_path(), sizeof(self));
	else
		self[n] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash != NULL && i < 2; i++) {
		slash[1] = '\0';
		if (snprintf(found, sizeof(found), "%s%s", self, places[i]) <
			(int)sizeof(found) &&
		    access(found, F_OK) == 0)
			return;
	}
	strlcpy(found, PKGLIBEXECDIR "/" NAME, sizeof(found));
}

/* Wait for the child, but not for ever. */
static void
admin_program_await(pid_t pid)
{
	int pidfd = pidfd_make(pid);
	struct pollfd p = { pidfd, POLLIN, 0 };

	if (pidfd != 0 && poll(&p, 1, PATIENCE) == 0)
		(void)kill(pid, SIGKILL);
	(void)reap_one(pid);
	pidfd_close(&pidfd);
}

/* What the program `fd` says that its layout is.  Returns 0, or -1 with errno
 * set. */
static int
admin_program_ask(int fd, char *answer, size_t size)
{
	static char name[] = NAME, option[] = "--layout";
	char *argv[] = { name, option, NULL };
	int output = memfd_create("echod-check", MFD_CLOEXEC);
	const struct executable_child child = {
		.path = found,
		.argv = argv,
		.null = true,
		.end = ADMIN_PROGRAM + 1,
		.n = 3,
		.give = { { fd, ADMIN_PROGRAM }, { output, STDOUT_FILENO },
		    { output, STDERR_FILENO } },
	};
	pid_t pid = output == -1 ? -1 : executable_start(&child);
	int saved = errno;
	ssize_t n;

	if (pid != -1) {
		admin_program_await(pid);
		n = pread(output, answer, size - 1, 0);
		answer[n > 0 ? n : 0] = '\0';
		answer[strcspn(answer, "\n")] = '\0';
	}
	if (output != -1)
		close(output);
	errno = saved;
	return pid == -1 ? -1 : 0;
}

static int
admin_program_fail(char *why, size_t size)
{
	snprintf(why, size,
	    "%s, which control-socket and metrics-port need: %s", found,
	    strerror(errno));
	return -1;
}

int
admin_program_open(char *why, size_t size)
{
	int fd;

	admin_program_find();
	/* O_PATH: a program may be executable and not readable. */
	fd = open(found, O_PATH | O_CLOEXEC);
	return fd == -1 ? admin_program_fail(why, size) : fd;
}

int
admin_program_check(const struct config *c, char *why, size_t size)
{
	char layout[128];
	int fd, r;

	if (!admin_program_wanted(c))
		return 0;
	fd = admin_program_open(why, size);
	if (fd == -1)
		return -1;
	r = admin_program_ask(fd, layout, sizeof(layout));
	if (r == -1)
		(void)admin_program_fail(why, size);
	else if (strcmp(layout, layout_words()) != 0) {
		snprintf(why, size,
		    "%s is of another version: its layout is %s, not %s", found,
		    layout[0] != '\0' ? layout : "not to be had",
		    layout_words());
		r = -1;
	}
	close(fd);
	return r;
}
