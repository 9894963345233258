/* SPDX-License-Identifier: ISC */
/*
 * What /proc tells about another process.
 */
#ifndef ECHOD_LIB_PROC_H
#define ECHOD_LIB_PROC_H

#include <stdbool.h>
#include <sys/types.h>

/* What the descriptor table of a process tells about a file. */
enum proof {
	PROOF_NOT,    /* the file is not open for writing */
	PROOF_OPEN,   /* it is open for writing */
	PROOF_LOCKED, /* it is, and with a write lock */
	PROOF_UNKNOWN /* we may not read the table */
};

/* True if /proc is mounted and shows our own PID namespace. */
bool proc_is_ours(void);

/* The name of process `pid` in printable ASCII, for messages; "" if it cannot
 * be read.  Static storage: the next call overwrites it. */
const char *proc_name(pid_t pid);

/* True if the process has the name of an echod. */
bool proc_is_echod(pid_t pid);

/* The child of process `parent` whose title (lib/title.h) begins with `title`;
 * 0 if none is visible. */
pid_t proc_child(pid_t parent, const char *title);

/* Search the descriptor table of process `pid` for the file that is open as
 * `fd` in this process. */
enum proof proc_proof(pid_t pid, int fd);

/* False if process `pid` is known to be in another network namespace: abstract
 * socket names differ there. */
bool proc_hears_us(pid_t pid);

/* The echod that has a write lock on a removed file whose path was `path`; 0 if
 * none is visible. */
pid_t proc_locker(const char *path);

#endif
