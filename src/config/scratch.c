/* SPDX-License-Identifier: ISC */
/*
 * A path by which a library can open what we have as a descriptor: in /proc, or
 * where that is not mounted, of a copy that is gone soon.
 */
#include "config/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int
scratch_copy(int from, int to)
{
	char text[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, text, sizeof(text), at)) > 0) {
		errno = ENOSPC; /* which a short write does not set */
		if (write(to, text, (size_t)n) != n)
			return -1;
		at += n;
	}
	return n == 0 ? 0 : -1;
}

int
scratch_make(struct scratch *s, int fd)
{
	int saved;

	s->fd = -1;
	snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", fd);
	if (access(s->path, R_OK) == 0)
		return 0;
	snprintf(s->path, sizeof(s->path), "/tmp/echod.XXXXXX");
	s->fd = mkostemp(s->path, O_CLOEXEC);
	if (s->fd == -1)
		return -1;
	if (scratch_copy(fd, s->fd) == 0)
		return 0;
	saved = errno;
	scratch_remove(s);
	errno = saved;
	return -1;
}

void
scratch_remove(struct scratch *s)
{
	if (s->fd == -1)
		return;
	(void)unlink(s->path);
	close(s->fd);
	s->fd = -1;
}
