/* SPDX-License-Identifier: ISC */
/*
 * What /proc says of another process.
 */
#ifndef ECHOD_LIB_PROC_H
#define ECHOD_LIB_PROC_H

#include <stdbool.h>
#include <sys/types.h>

/* What the table of descriptors of a process says of a file. */
enum proof {
	PROOF_NOT,    /* it has not got it open for writing */
	PROOF_OPEN,   /* it has */
	PROOF_LOCKED, /* and holds a write lock on it */
	PROOF_UNKNOWN /* it may not be looked at */
};

/* True if /proc is there, and of our own PID namespace. */
bool proc_is_ours(void);

/* What process `pid` is called, for people; "" if that cannot be read.  In
 * static storage, overwritten by the next call. */
const char *proc_name(pid_t pid);

/* True if it is called as an echod is. */
bool proc_is_echod(pid_t pid);

/* Look for the file open as `fd` here in the table of process `pid`. */
enum proof proc_proof(pid_t pid, int fd);

/* True unless process `pid` is known to be in another network namespace, where
 * abstract names of sockets are others. */
bool proc_hears_us(pid_t pid);

/* The echod that has a write lock on the file that was at `path` and is there
 * no more; 0 if none is to be seen. */
pid_t proc_locker(const char *path);

#endif
