/* SPDX-License-Identifier: ISC */
/*
 * Leaving the terminal; see daemon(7), "SysV Daemons".
 */
#include "master/start/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/wait_status.h"
#include "master/reap.h"

/* The child's end of the pipe that its parent reads; -1 if there is none. */
static int parent_fd = -1;

static void
daemonize_await(pid_t child, int fd)
{
	char byte;
	ssize_t n;
	int status;

	while ((n = read(fd, &byte, 1)) == -1 && errno == EINTR)
		;
	if (n == 1)
		_exit(0);
	status = reap_one(child);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
	log_warnx("the daemon was %s before it was ready",
	    wait_status_words(status));
	_exit(1);
}

int
daemonize(void)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid == -1)
		return -1;
	if (pid > 0) {
		close(fds[1]);
		daemonize_await(pid, fds[0]);
	}
	close(fds[0]);
	parent_fd = fds[1];
	/* Log files are opened with O_NOCTTY.  So the leader of the session
	 * gets no terminal, and no second fork is needed. */
	if (setsid() == -1 || chdir("/") == -1)
		return -1;
	return 0;
}

void
daemonize_ready(void)
{
	int null;

	if (parent_fd == -1)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null != -1) {
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			(void)dup2(null, fd);
		close(null);
	}
	log_leave_console();
	(void)!write(parent_fd, "", 1);
	close(parent_fd);
	parent_fd = -1;
}
