/* SPDX-License-Identifier: ISC */
/*
 * The program's own executable: its path, its arguments, and how it or the next
 * one is executed.
 */
#ifndef ECHOD_MASTER_UPGRADE_EXECUTABLE_H
#define ECHOD_MASTER_UPGRADE_EXECUTABLE_H

#include <stdbool.h>
#include <sys/types.h>

/* The variable that hands the upgrade record (record.h) to the next program:
 * the number of a descriptor. */
#define EXECUTABLE_RECORD "ECHOD_TAKEOVER"

/* Descriptors of the check. */
enum {
	EXECUTABLE_CHECK_RECORD = 3,
	EXECUTABLE_CHECK_FILE,
	EXECUTABLE_CHECK_IMAGE, /* of handlers, to be filled in */
	EXECUTABLE_CHECK_STATE, /* service state, for reading */
	EXECUTABLE_CHECK_END
};

/*
 * Remember how this program was called: its arguments, its working directory
 * and its path.  Symbolic links stay in the path, so that they may point
 * elsewhere later.  Call this first: title_init() overwrites the arguments.
 * Returns 0, or -1 with errno set if memory is short.
 */
int executable_init(int argc, char **argv);

/* The absolute path that executable_init() has found, and the directory.  "" if
 * there is none: the directory was removed, or /proc is not mounted. */
const char *executable_path(void);
const char *executable_directory(void);

/* Use the path and the directory of the program before: the working directory
 * of a daemon is another one by now. */
void executable_inherit(const char *path, const char *directory);

/* Open the program that runs.  It stays executable by this descriptor, which is
 * close-on-exec, if its file is replaced or deleted.  Returns the descriptor,
 * or -1 with errno set. */
int executable_hold(void);

/* Open the program that is on disk now.  Returns a descriptor, close-on-exec,
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
 * Start the program in `fd` as a child, with -t added to our arguments.  It
 * gets the other descriptors, beside standard input, and writes to `output`.
 * Returns its pid, or -1 with errno set.
 */
pid_t executable_check(int fd, int record, int output, int image, int state);

/* Execute the program in `fd` in place of this one, with our arguments and the
 * record.  Returns only if that fails, with errno set. */
void executable_exec(int fd, int record);

#endif
