/* SPDX-License-Identifier: ISC */
/*
 * A process as a descriptor, which is readable once it has ended: a level,
 * where a signal is an edge that can be lost (pidfd_open(2), Linux 5.3).
 */
#ifndef ECHOD_LIB_PIDFD_H
#define ECHOD_LIB_PIDFD_H

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* Of ourselves or a child that was not reaped: no other pid can be trusted to
 * be whose it was.  Close-on-exec.  Returns 0 if there is none: before Linux
 * 5.3, and in some sandboxes. */
static inline int
pidfd_make(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd > STDERR_FILENO ? fd : 0;
}

/* Close it, if there is one; 0 stands there afterwards. */
static inline void
pidfd_close(int *pidfd)
{
	if (*pidfd != 0)
		close(*pidfd);
	*pidfd = 0;
}

#endif
