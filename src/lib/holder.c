/* SPDX-License-Identifier: ISC */
/*
 * Finding the process that holds a pid file.
 */
#include "lib/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "lib/pidfd.h"
#include "lib/proc.h"

/* Tries to lock for writing, if readers of the file lock it for a moment. */
#define LOCK_TRIES 100

static struct flock
holder_flock(short type)
{
	return (struct flock){ .l_type = type,
		.l_whence = SEEK_SET,
		.l_start = HOLDER_BYTE,
		.l_len = 1 };
}

int
holder_lock(int fd)
{
	struct flock lock = holder_flock(F_WRLCK);
	int r = fcntl(fd, F_SETLK, &lock);

	if (r == -1 && errno == EACCES) /* POSIX allows either error */
		errno = EAGAIN;
	return r;
}

int
holder_move(int fd)
{
	struct flock lock = holder_flock(F_RDLCK);
	int tries = 0, r;

	/* A lock that is there already stays as it is, and names the process
	 * that took it.  A change of its type names this process.  Nobody can
	 * lock the byte for writing in between. */
	if (fcntl(fd, F_SETLK, &lock) == -1)
		return -1;
	do
		r = holder_lock(fd);
	while (r == -1 && errno == EAGAIN && ++tries < LOCK_TRIES);
	return r;
}

/* The lock that conflicts with a lock of `type`; F_UNLCK: there is none. */
static struct flock
holder_conflict(int fd, short type)
{
	struct flock lock = holder_flock(type);

	if (fcntl(fd, F_GETLK, &lock) == -1)
		lock.l_type = F_UNLCK;
	return lock;
}

static pid_t
holder_written(int fd)
{
	char text[32];
	const char *reason;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long long pid;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	pid = strtonum(text, 1, INT_MAX, &reason);
	return reason == NULL ? (pid_t)pid : 0;
}

/* Open a pidfd of process `pid`, which a later process of the same pid cannot
 * be mistaken for.  Returns -1 with errno set, ESRCH if there is no such
 * process. */
static int
holder_open_pid(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd == -1 && errno != ESRCH && kill(pid, 0) == -1 && errno == ESRCH)
		return -1;
	/* The process has ended and was not reaped yet. */
	if (fd != -1 && poll(&p, 1, 0) == 1) {
		close(fd);
		errno = ESRCH;
		return -1;
	}
	return fd;
}

static void __attribute__((format(printf, 3, 4)))
holder_is(struct holder *h, enum holder_state state, const char *fmt, ...)
{
	va_list ap;

	h->state = state;
	va_start(ap, fmt);
	vsnprintf(h->found, sizeof(h->found), fmt, ap);
	va_end(ap);
}

/* There is no write lock.  An echod that started while another program's lock
 * was in its way has no lock either, but it has the file open. */
static void
holder_without_lock(struct holder *h, int fd)
{
	holder_is(h, HOLDER_NONE, "%s", "");
	if (h->written == 0 || h->written == getpid())
		return;
	h->pidfd = holder_open_pid(h->written);
	if (h->pidfd == -1 && errno == ESRCH)
		return;
	if (proc_is_echod(h->written) &&
	    (proc_proof(h->written, fd) == PROOF_OPEN ||
		proc_proof(h->written, fd) == PROOF_LOCKED)) {
		h->state = HOLDER_ECHOD;
		h->pid = h->written;
	} else
		holder_is(h, HOLDER_NONE, "it names process %ld, which is %s",
		    (long)h->written,
		    proc_is_echod(h->written)
			? "an echod that does not have this file open"
			: proc_name(h->written)[0] != '\0'
			? proc_name(h->written)
			: "another program");
}

/* An echod has the lock, and the kernel does not tell its pid. */
static void
holder_unseen(struct holder *h)
{
	if (h->written != 0 && kill(h->written, 0) == -1 && errno == ESRCH) {
		h->pid = h->written;
		holder_is(h, HOLDER_LEFT,
		    "the workers of process %ld, which was killed, are still "
		    "finishing",
		    (long)h->pid);
	} else
		holder_is(h, HOLDER_ELSEWHERE,
		    "a process that has locked it is not visible from here: "
		    "in another PID namespace, or on another machine");
}

/* An echod took the lock as process `h->pid`.  Find out whether that is still
 * the same process. */
static void
holder_judge(struct holder *h, int fd)
{
	enum proof proof = proc_proof(h->pid, fd);

	/* The fdinfo of some kernels has no locks.  If /proc does not show the
	 * process at all (there is no /proc, or hidepid= is set), the lock and
	 * the number in the file must agree. */
	if (proof == PROOF_LOCKED ||
	    (proof != PROOF_NOT && proc_is_echod(h->pid)) ||
	    (proof == PROOF_UNKNOWN && proc_name(h->pid)[0] == '\0' &&
		h->pid == h->written))
		h->state = HOLDER_ECHOD;
	else if (proof == PROOF_UNKNOWN)
		holder_is(h, HOLDER_STRANGER,
		    "it is locked by process %ld (%s), which we may not "
		    "examine and which may not be an echod",
		    (long)h->pid, proc_name(h->pid));
	else
		holder_is(h, HOLDER_LEFT,
		    "the workers of an echod that was killed are still "
		    "finishing; its pid, %ld, now belongs to another process "
		    "(%s)",
		    (long)h->pid, proc_name(h->pid));
}

void
holder_find(struct holder *h, int fd)
{
	/* A process that can only read the file can hold a read lock.  Ask for
	 * conflicts with a read lock, so that such locks do not count. */
	struct flock lock = holder_conflict(fd, F_RDLCK);
	bool ours = lock.l_start == HOLDER_BYTE && lock.l_len == 1;

	memset(h, 0, sizeof(*h));
	h->pidfd = -1;
	h->written = holder_written(fd);
	if (lock.l_type == F_UNLCK) {
		holder_without_lock(h, fd);
		return;
	}
	if (!ours) {
		holder_in_the_way(h, fd);
		return;
	}
	if (lock.l_pid <= 0) {
		holder_unseen(h);
		return;
	}
	h->pid = lock.l_pid;
	h->pidfd = holder_open_pid(h->pid);
	if (h->pidfd == -1 && errno == ESRCH)
		holder_is(h, HOLDER_LEFT,
		    "the workers of process %ld, which was killed, are still "
		    "finishing",
		    (long)h->pid);
	else
		holder_judge(h, fd);
	/* The process may have ended, and its pid may be another process,
	 * before we had the pidfd. */
	lock = holder_conflict(fd, F_RDLCK);
	if (h->state == HOLDER_ECHOD && lock.l_type == F_UNLCK)
		holder_is(h, HOLDER_NONE, "process %ld has just released it",
		    (long)h->pid);
}

/* Find an echod whose pid file was removed while it runs. */
static void
holder_of_removed(struct holder *h, const char *path)
{
	pid_t pid = proc_locker(path);
	int pidfd = pid <= 0 ? -1 : holder_open_pid(pid);

	if (pid <= 0 || (pidfd == -1 && errno == ESRCH))
		return;
	if (proc_locker(path) != pid) {
		if (pidfd != -1)
			close(pidfd);
		return;
	}
	holder_close(h);
	h->state = HOLDER_ECHOD;
	h->pid = pid;
	h->pidfd = pidfd;
}

int
holder_find_path(struct holder *h, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	memset(h, 0, sizeof(*h));
	h->pidfd = -1;
	if (fd == -1 && errno != ENOENT)
		return -1;
	if (fd != -1) {
		holder_find(h, fd);
		close(fd);
	}
	if (h->state == HOLDER_NONE)
		holder_of_removed(h, path);
	return 0;
}

void
holder_in_the_way(struct holder *h, int fd)
{
	struct flock lock = holder_conflict(fd, F_WRLCK);
	const char *name;

	if (lock.l_type == F_UNLCK) {
		holder_is(h, HOLDER_NONE, "%s", "");
		return;
	}
	if (lock.l_pid <= 0) {
		holder_is(h, HOLDER_STRANGER,
		    "it is locked by a process that is not visible from here");
		return;
	}
	name = proc_name(lock.l_pid);
	holder_is(h, HOLDER_STRANGER,
	    "it is locked by process %ld%s%s%s, which is not an echod",
	    (long)lock.l_pid, name[0] != '\0' ? " (" : "", name,
	    name[0] != '\0' ? ")" : "");
}

int
holder_signal(const struct holder *h, int signo, const int *value)
{
	union sigval v = { .sival_int = value == NULL ? 0 : *value };
	siginfo_t info;

	if (h->pidfd == -1)
		return value == NULL ? kill(h->pid, signo)
				     : sigqueue(h->pid, signo, v);
	memset(&info, 0, sizeof(info));
	info.si_signo = signo;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value = v;
	return (int)syscall(SYS_pidfd_send_signal, h->pidfd, signo,
	    value == NULL ? NULL : &info, 0);
}

void
holder_close(struct holder *h)
{
	if (h->pidfd != -1)
		close(h->pidfd);
	h->pidfd = -1;
}
