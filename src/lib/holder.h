/* SPDX-License-Identifier: ISC */
/*
 * Which process has a pid file: asked of the kernel, and never taken from the
 * number that is written there.
 *
 * The master holds a write lock (fcntl(2)) on the one byte of the file that is
 * HOLDER_BYTE.  Only a process that could open the file for writing can have
 * such a lock, and the kernel says which one has it; what others lock, by
 * flock(2) or for reading, is not even seen.  The lock belongs to the table of
 * descriptors, which the workers of a master that was killed still share while
 * they finish, and by then its number may be another process's: so the process
 * of that number is looked at, too.
 */
#ifndef ECHOD_LIB_HOLDER_H
#define ECHOD_LIB_HOLDER_H

#include <sys/types.h>

/* Beyond all bytes that the file has: "echod". */
#define HOLDER_BYTE 0x6563686f64

enum owner_state {
	HOLDER_NONE,	  /* no echod, and no lock either */
	HOLDER_ECHOD,	  /* the echod `pid` */
	HOLDER_LEFT,	  /* workers of the echod `pid`, which was killed */
	HOLDER_ELSEWHERE, /* an echod that cannot be seen from here */
	HOLDER_STRANGER	  /* some process that is no echod */
};

struct holder {
	enum owner_state state;
	pid_t pid;	 /* 0: not known */
	pid_t written;	 /* the number in the file; 0: none */
	int pidfd;	 /* of an echod, from before it was looked at;
				   -1 where the kernel has none */
	char found[192]; /* in words, but for HOLDER_ECHOD; or "" */
};

/* Take that lock on `fd`.  Returns 0, or -1 with errno set, EAGAIN if another
 * lock is in the way. */
int holder_lock(int fd);

/* Find out whose the file open as `fd` is, other than this process's.  Close
 * the result with holder_close(). */
void holder_find(struct holder *h, int fd);

/* The same for a path.  Returns 0, also if there is no such file; or -1 with
 * errno set. */
int holder_find_path(struct holder *h, const char *path);

/* Say in `found` which process is in the way of holder_lock(). */
void holder_in_the_way(struct holder *h, int fd);

/* Send a signal to the echod that was found, with `value` if that is not
 * NULL.  Returns 0, or -1 with errno set, ESRCH if it has ended. */
int holder_signal(const struct holder *h, int signo, const int *value);

void holder_close(struct holder *h);

#endif
