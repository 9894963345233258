/* SPDX-License-Identifier: ISC */
/*
 * A process as a descriptor (pidfd_open(2), Linux 5.3).  It becomes readable
 * when the process ends and stays so, while a signal can be missed.
 */
#ifndef ECHOD_LIB_PIDFD_H
#define ECHOD_LIB_PIDFD_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
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

/* Send a signal to the process of a pidfd; 0 sends none.  Returns 0, or -1 with
 * errno set. */
static inline int
pidfd_signal(int pidfd, int signo)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0);
}

/* True if the descriptor is a pidfd, even if its process has ended. */
static inline bool
pidfd_is(int fd)
{
	return fd > STDERR_FILENO &&
	    (pidfd_signal(fd, 0) == 0 || errno == ESRCH || errno == EPERM);
}

/* The form of struct pidfd_info that Linux 6.15 knows. */
struct pidfd_exit {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t status;
};
#define PIDFD_EXIT_INFO _IOWR(0xff, 11, struct pidfd_exit)
#define PIDFD_EXIT_MASK (UINT64_C(1) << 3) /* PIDFD_INFO_EXIT */

/* How the process ended, as wait(2) tells.  Returns false if the kernel does
 * not tell: before Linux 6.15, and as long as no process has reaped it. */
static inline bool
pidfd_status(int pidfd, int *status)
{
	struct pidfd_exit e = { .mask = PIDFD_EXIT_MASK };

	if (ioctl(pidfd, PIDFD_EXIT_INFO, &e) == -1 ||
	    (e.mask & PIDFD_EXIT_MASK) == 0)
		return false;
	*status = e.status;
	return true;
}

/* True if the process has ended. */
static inline bool
pidfd_has_ended(int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1 && p.revents != 0;
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
