/* SPDX-License-Identifier: ISC */
/*
 * A process as a descriptor (pidfd_open(2), Linux 5.3).  It becomes readable
 * when the process ends and stays so, while a signal can be missed.
 */
#ifndef ECHOD_LIB_PIDFD_H
#define ECHOD_LIB_PIDFD_H

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/*
 * Open a pidfd of this process or of a child that was not reaped; any other pid
 * may already be another process.  The descriptor is close-on-exec, and the
 * caller owns it.  Returns 0 if there is none: before Linux 5.3, and in some
 * sandboxes.
 */
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
