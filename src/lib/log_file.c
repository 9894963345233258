/* SPDX-License-Identifier: ISC */
/*
 * The dated log file: its name, opening it, and when the name changes.
 */
#include "lib/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

/* How far set_times searches for another name, in s. */
#define DAY 86400

bool
log_file_is_dated(const struct log_file *f)
{
	return strchr(f->pattern, '%') != NULL;
}

/* Expand the pattern for time `t`.  Returns false if the name does not fit. */
static bool
log_file_name(const struct log_file *f, time_t t, char *name, size_t size)
{
	struct tm tm;

	if (!log_file_is_dated(f))
		return snprintf(name, size, "%s", f->pattern) < (int)size;
	localtime_r(&t, &tm);
	return strftime(name, size, f->pattern, &tm) != 0;
}

static bool
log_file_is_named(const struct log_file *f, time_t t, const char *name)
{
	char other[PATH_MAX];

	return log_file_name(f, t, other, sizeof(other)) &&
	    strcmp(name, other) == 0;
}

/* Find the times between which the pattern expands to `name`: whole minutes,
 * at most a day each way.  Trying each minute is right for every pattern and
 * across the begin of summer time. */
static void
log_file_set_times(struct log_file *f, time_t now, const char *name)
{
	time_t minute = now - now % 60;

	f->from = minute;
	while (
	    f->from > minute - DAY && log_file_is_named(f, f->from - 60, name))
		f->from -= 60;
	f->until = minute + 60;
	while (f->until < minute + DAY && log_file_is_named(f, f->until, name))
		f->until += 60;
}

int
log_file_open(struct log_file *f, time_t now)
{
	char name[sizeof(f->path)];
	int fd;

	if (!log_file_name(f, now, name, sizeof(name))) {
		snprintf(f->tried, sizeof(f->tried), "%s", f->pattern);
		errno = ENAMETOOLONG;
		return -1;
	}
	strlcpy(f->tried, name, sizeof(f->tried));
	/* O_NONBLOCK: the open of a FIFO without a reader must not hang. */
	fd = safe_path_open(name, O_WRONLY | O_APPEND | O_NONBLOCK, 0644,
	    &f->owner);
	if (fd == -1)
		return -1;
	if (f->fd == -1)
		f->fd = fd;
	else if (dup3(fd, f->fd, O_CLOEXEC) == -1) {
		close(fd);
		return -1;
	} else
		close(fd);
	strlcpy(f->path, name, sizeof(f->path));
	log_file_set_times(f, now, name);
	return 0;
}

void
log_file_inherit(struct log_file *f, int fd, time_t now)
{
	f->fd = fd;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	strlcpy(f->path, f->tried, sizeof(f->path));
	log_file_set_times(f, now, f->path);
}

bool
log_file_covers(const struct log_file *f, time_t now)
{
	return !log_file_is_dated(f) || (now >= f->from && now < f->until);
}

bool
log_file_is_stale(const struct log_file *f, time_t now)
{
	struct stat ours, there;

	if (!log_file_covers(f, now))
		return true;
	/* A path that we may not look at, such as one in a directory that we
	 * may not search, is left alone. */
	if (fstat(f->fd, &ours) == -1 || !S_ISREG(ours.st_mode))
		return false;
	if (stat(f->path, &there) == -1)
		return errno == ENOENT;
	return ours.st_dev != there.st_dev || ours.st_ino != there.st_ino;
}
