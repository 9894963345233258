/*
 * The dated log file: its name, opening it, and when the name changes.
 */
#ifndef ECHOD_BASE_LOG_FILE_H
#define ECHOD_BASE_LOG_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct log_file {
	const char *pattern;	/* strftime(3), absolute; NULL: none */
	uid_t uid;		/* who shall own what is created */
	gid_t gid;
	int fd;			/* -1: not open */
	char path[PATH_MAX];	/* of the open file */
	char tried[PATH_MAX];	/* last opened or tried */
};

/* Open the file of the current date, in the place of the one that is open.
 * Returns 0, or -1 with errno set and nothing changed but `tried`. */
int log_file_open(struct log_file *f);

/* Milliseconds until the name changes, CLOCK_NEVER if never; `now` is set if
 * the open file has not the name it should have. */
uint64_t log_file_next(const struct log_file *f, bool *now);

#endif
