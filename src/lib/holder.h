/* SPDX-License-Identifier: ISC */
/*
 * The process that holds a pid file.  The kernel tells it; the number in the
 * file is never trusted.
 *
 * The master has a write lock (fcntl(2)) on the byte HOLDER_BYTE of the file.
 * Only a process that can open the file for writing can have such a lock, and
 * the kernel tells its pid.  Locks by flock(2) and read locks do not conflict
 * with ours.  The lock belongs to the descriptor table.  If the master was
 * killed, its standby and its workers still share that table: the standby takes
 * the lock again in its own name, and the workers of a service without standby
 * finish.  The pid may be another process by then, so the process itself is
 * examined as well.
 */
#ifndef ECHOD_LIB_HOLDER_H
#define ECHOD_LIB_HOLDER_H

#include <sys/types.h>

/* An offset far behind the end of the file: "echod" in ASCII. */
#define HOLDER_BYTE 0x6563686f64

enum holder_state {
	HOLDER_NONE,	  /* no echod, and no lock either */
	HOLDER_ECHOD,	  /* the echod `pid` */
	HOLDER_LEFT,	  /* the workers of echod `pid`, which was killed */
	HOLDER_ELSEWHERE, /* an echod that is not visible from here */
	HOLDER_STRANGER	  /* a process that is not an echod */
};

struct holder {
	enum holder_state state;
	pid_t pid;	 /* 0: not known */
	pid_t written;	 /* the number in the file; 0: none */
	int pidfd;	 /* of an echod, opened before it was examined;
			  * -1 if the kernel has none */
	char found[192]; /* in words, "" for HOLDER_ECHOD */
};

/* Take the lock on `fd`.  Returns 0, or -1 with errno set: EAGAIN if another
 * lock conflicts with it. */
int holder_lock(int fd);

/* Take the lock again in the name of this process, which shares its descriptors
 * with the process that took the lock before.  At no time can another process
 * have the lock.  Returns 0, or -1 with errno set: EAGAIN if other processes
 * have locked the byte for reading meanwhile, and there is no lock now. */
int holder_move(int fd);

/* Find the process, other than this one, that holds the file open as `fd`.  The
 * caller must call holder_close(). */
void holder_find(struct holder *h, int fd);

/* The same for a path.  Returns 0, also if the file does not exist, or -1 with
 * errno set and nothing to close. */
int holder_find_path(struct holder *h, const char *path);

/* Store in `found` which process prevents holder_lock(). */
void holder_in_the_way(struct holder *h, int fd);

/* Send a signal to the echod that was found, with `value` unless that is NULL.
 * Returns 0, or -1 with errno set: ESRCH if the echod has ended. */
int holder_signal(const struct holder *h, int signo, const int *value);

void holder_close(struct holder *h);

#endif
