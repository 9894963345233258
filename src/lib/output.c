/* SPDX-License-Identifier: ISC */
/*
 * Checking standard output when the program ends.
 *
 * The result of printf(3) tells nothing, since the bytes are written later.  So
 * this is the one place that checks, for every command and option, that all of
 * the output was written.
 */
#include "lib/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *name; /* of the program */
	int status;
	bool guarded;
	bool closed[STDERR_FILENO + 1]; /* at the start */
} state;

/* Returns 0, or -1 with errno set. */
static int
output_finish(void)
{
	/* A command ends as soon as a write fails, so errno is still the
	 * reason. */
	int before = errno;
	bool failed = ferror(stdout) != 0;

	if (fclose(stdout) == EOF)
		return -1;
	errno = before;
	return failed ? -1 : 0;
}

static void
output_end(void)
{
	if (!state.guarded || output_finish() == 0)
		return;
	if (errno != EPIPE)
		fprintf(stderr, "%s: standard output: %s\n", state.name,
		    strerror(errno));
	_exit(state.status);
}

/* Give the number of a closed stream to a file that exists everywhere and
 * cannot be written, so that writing fails as before. */
static void
output_occupy(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		state.closed[fd] = fcntl(fd, F_GETFD) == -1;
		/* open(2) returns the lowest free number, which is this one. */
		if (state.closed[fd] && open("/", O_RDONLY | O_DIRECTORY) == -1)
			(void)open("/", O_PATH | O_DIRECTORY);
	}
}

void
output_guard(const char *name, int status)
{
	state.name = name;
	state.status = status;
	state.guarded = atexit(output_end) == 0;
	output_occupy();
}

void
output_release(void)
{
	state.guarded = false;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (state.closed[fd])
			close(fd);
}
