/* SPDX-License-Identifier: ISC */
/*
 * The dated log file: its name, opening it, and when the name changes.
 */
#ifndef ECHOD_LIB_LOG_FILE_H
#define ECHOD_LIB_LOG_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "lib/safe_path.h"

struct log_file {
	const char *pattern; /* strftime(3), absolute; NULL: none */
	struct safe_owner owner;
	int fd;		      /* -1: not open */
	time_t from, until;   /* the file takes lines of these times */
	char path[PATH_MAX];  /* of the open file */
	char tried[PATH_MAX]; /* last opened or tried */
};

/* Open the file for lines of time `now`.  If a file is open, the new one takes
 * its descriptor's number.  Returns 0, or -1 with errno set and nothing changed
 * but `tried`. */
int log_file_open(struct log_file *f, time_t now);

/* Use descriptor `fd`, which the former program opened, after log_file_open()
 * has failed. */
void log_file_inherit(struct log_file *f, int fd, time_t now);

/* True if the name changes with the date. */
bool log_file_is_dated(const struct log_file *f);

/* True if lines of time `now` belong to the file that is open. */
bool log_file_covers(const struct log_file *f, time_t now);

/* True if they do not, or if the path does not lead to the open file: the file
 * was removed, renamed or replaced. */
bool log_file_is_stale(const struct log_file *f, time_t now);

#endif
