/*
 * The dated log file.
 */
#include "base/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"

/* Make the directories above `path`, as mkdir -p does. */
static int
make_parents(const struct log_file *f, const char *path)
{
	char dir[PATH_MAX];
	char *p;

	if (strlen(path) >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strlcpy(dir, path, sizeof(dir));
	for (p = strchr(dir + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dir, 0755) == 0) {
			if (chown(dir, f->uid, f->gid) == -1)
				return -1;
		} else if (errno != EEXIST)
			return -1;
		*p = '/';
	}
	return 0;
}

/* The name the pattern has at time `t`; false if it does not fit. */
static bool
name_at(const struct log_file *f, time_t t, char *name, size_t size)
{
	struct tm tm;

	if (strchr(f->pattern, '%') == NULL)
		return snprintf(name, size, "%s", f->pattern) < (int)size;
	localtime_r(&t, &tm);
	return strftime(name, size, f->pattern, &tm) != 0;
}

int
log_file_open(struct log_file *f)
{
	char name[PATH_MAX];
	int fd;

	if (!name_at(f, time(NULL), name, sizeof(name))) {
		snprintf(f->tried, sizeof(f->tried), "%s",
		    f->pattern);
		errno = ENAMETOOLONG;
		return -1;
	}
	strlcpy(f->tried, name, sizeof(f->tried));
	if (make_parents(f, name) == -1)
		return -1;
	/* O_NONBLOCK: opening a FIFO that nobody reads must not hang.  The
	 * directory may be the user's whom the file is given to below: a link
	 * laid there by an intruder must not give away another file. */
	fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK |
	    (f->uid != (uid_t)-1 ? O_NOFOLLOW : 0), 0644);
	if (fd == -1)
		return -1;
	if (f->uid != (uid_t)-1 &&
	    fchown(fd, f->uid, f->gid) == -1) {
		close(fd);
		return -1;
	}
	if (f->fd == -1)
		f->fd = fd;
	else if (dup3(fd, f->fd, O_CLOEXEC) == -1) {
		close(fd);
		return -1;
	} else
		close(fd);
	strlcpy(f->path, name, sizeof(f->path));
	return 0;
}

uint64_t
log_file_next(const struct log_file *f, bool *now)
{
	char current[PATH_MAX], later[PATH_MAX];
	time_t present = time(NULL), t;

	if (strchr(f->pattern, '%') == NULL ||
	    !name_at(f, present, current, sizeof(current)))
		return CLOCK_NEVER;
	*now = strcmp(current, f->path) != 0;
	/* The first full minute that gives another name; whatever the pattern
	 * holds and whenever summer time begins. */
	for (t = present - present % 60 + 60; t < present + 86400; t += 60)
		if (name_at(f, t, later, sizeof(later)) &&
		    strcmp(current, later) != 0)
			break;
	return (uint64_t)(t - present) * 1000;
}
