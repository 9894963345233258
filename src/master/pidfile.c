/*
 * The pid file.
 *
 * Not libbsd's pidfile_open(3bsd): its handle cannot be handed to the next
 * image, and opening anew would empty the file for a moment and needs rights
 * that the service has given up by then.
 */
#include "master/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/libutil.h>
#include <bsd/stdlib.h>
#include <bsd/string.h>

/* The pid that is written in it, or -1. */
static pid_t
read_pid(int fd)
{
	char text[32];
	const char *reason;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long long pid;

	if (n <= 0)
		return -1;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	pid = strtonum(text, 1, INT_MAX, &reason);
	return reason == NULL ? (pid_t)pid : -1;
}

int
pidfile_claim(struct pidfile *p, const char *path, pid_t *other)
{
	/* Root opens it in a directory that may be `user`'s: a link laid there by
	 * an intruder must not have another file overwritten. */
	p->fd = flopen(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK |
	    O_NOFOLLOW, 0644);
	if (p->fd == -1 && errno == EWOULDBLOCK) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		*other = -1;
		if (fd != -1) {
			*other = read_pid(fd);
			close(fd);
		}
		return 1;
	}
	if (p->fd == -1)
		return -1;
	strlcpy(p->path, path, sizeof(p->path));
	return 0;
}

int
pidfile_enter(const struct pidfile *p)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	errno = ENOSPC;		/* which a short write does not set */
	/* In one go: nobody shall read half of it, or nothing. */
	if (pwrite(p->fd, text, (size_t)n, 0) != n ||
	    ftruncate(p->fd, n) == -1)
		return -1;
	return 0;
}

void
pidfile_release(struct pidfile *p)
{
	struct stat ours, there;

	if (p->fd == -1)
		return;
	/* Where its directory does not let us remove it, it shall at least not
	 * name a process that may be somebody else by then. */
	(void)!ftruncate(p->fd, 0);
	if (fstat(p->fd, &ours) == 0 && lstat(p->path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		(void)unlink(p->path);
	close(p->fd);
	p->fd = -1;
}

pid_t
pidfile_holder(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
		close(fd);
		return 0;
	}
	if (errno != EWOULDBLOCK) {
		close(fd);
		return -1;
	}
	pid = read_pid(fd);
	close(fd);
	if (pid == -1)
		errno = EINVAL;
	return pid;
}
