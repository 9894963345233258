/* SPDX-License-Identifier: ISC */
/*
 * The program's own image: where it is on disk, how it was called, and
 * executing it or another in its place.
 */
#ifndef ECHOD_MASTER_UPGRADE_EXECUTABLE_H
#define ECHOD_MASTER_UPGRADE_EXECUTABLE_H

#include <stdbool.h>
#include <sys/types.h>

/* The variable that hands the record of a takeover (takeover.h) to the next
 * image: the number of a descriptor. */
#define IMAGE_ENVIRONMENT "ECHOD_TAKEOVER"

/*
 * Remember how this program was called: arguments, working directory, and the
 * path it was found at, symbolic links unresolved so that they may point
 * elsewhere later.  Call first of all; title_init() spoils the arguments.
 * Returns 0, or -1 with errno set: memory is short.
 */
int executable_init(int argc, char **argv);

/* What executable_init() found; absolute.  "" if there is none: the working
 * directory was removed, or /proc is not mounted. */
const char *executable_path(void);
const char *executable_directory(void);

/* The same as the image before knew it, whose working directory may be
 * another by now. */
void executable_inherit(const char *path, const char *directory);

/* A descriptor on the image that runs, which stays executable when its file is
 * replaced or deleted; close-on-exec.  Returns it, or -1 with errno set. */
int executable_hold(void);

/* A descriptor on the image that is on disk now; close-on-exec.  Returns it,
 * or -1 with errno set. */
int executable_open(void);

#define EXECUTABLE_GIVEN 16

/* A program to be executed in a process of its own, with a table of its own. */
struct executable_child {
	const char *path; /* the file of give[0], for where there is no /proc */
	char **argv;
	bool null; /* standard input is /dev/null */
	int end;   /* no descriptor from this number on */
	unsigned n;
	struct {
		int fd; /* -1: standard input again */
		int to; /* its number in the child */
	}		/* what is executed, and more */
	give[EXECUTABLE_GIVEN];
};

/* Start it; returns once it is executed, and has no descriptor but those.
 * Returns its pid, or -1 with errno set. */
pid_t executable_start(const struct executable_child *child);

/*
 * Start the image in `fd` with -t added to our arguments, the record as its
 * only descriptor beside the standard ones, and its output to `output`.
 * Returns the child's pid, or -1 with errno set.
 */
pid_t executable_check(int fd, int record, int output);

/* Execute the image in `fd` in place of this one, with our arguments and the
 * record.  Returns only if that fails, with errno set. */
void executable_exec(int fd, int record);

#endif
