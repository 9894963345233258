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
	time_t from, until;   /* lines of these times go to it */
	char path[PATH_MAX];  /* of the open file */
	char tried[PATH_MAX]; /* last opened or tried */
};

/* Open the file for lines of time `now`, in the place of the one that is open.
 * Returns 0, or -1 with errno set and nothing changed but `tried`. */
int log_file_open(struct log_file *f, time_t now);

/* Go on with descriptor `fd`, which the image before has opened, where the
 * file cannot be opened. */
void log_file_inherit(struct log_file *f, int fd, time_t now);

/* True if the name changes with the date. */
bool log_file_is_dated(const struct log_file *f);

/* True if lines of time `now` belong to the file that is open. */
bool log_file_covers(const struct log_file *f, time_t now);

/* True if they do not, or if its path leads elsewhere: it was removed, renamed
 * or replaced. */
bool log_file_is_stale(const struct log_file *f, time_t now);

#endif
