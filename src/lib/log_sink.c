/* SPDX-License-Identifier: ISC */
/*
 * Writing a log line to a descriptor without blocking.
 */
#include "lib/log_sink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_ROOM 2048

struct log_shared *
log_shared(void)
{
	static struct log_shared own, *shared;

	if (shared != NULL)
		return shared;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		shared = &own; /* each process then has its own counters */
	return shared;
}

static ssize_t
log_sink_try(int fd, bool is_socket, const char *line, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (is_socket)
		return send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* The descriptor may block.  POLLOUT on a pipe promises room for
	 * PIPE_BUF bytes, which is more than a line. */
	errno = EAGAIN;
	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
		return -1;
	return write(fd, line, len);
}

int
log_sink_write(struct log_sink_state *s, int fd, bool is_socket, char mend,
    const char *line, size_t len)
{
	char whole[LINE_ROOM];
	bool cut = len < sizeof(whole) && atomic_exchange(&s->cut, 0) != 0;
	ssize_t n;

	if (cut) {
		whole[0] = mend;
		memcpy(whole + 1, line, len);
		line = whole;
		len++;
	}
	n = log_sink_try(fd, is_socket, line, len);
	if (n == (ssize_t)len)
		return 0;
	if (n > 0) {
		size_t rest = len - (size_t)n;
		ssize_t more = log_sink_try(fd, is_socket, line + n, rest);

		if (more == (ssize_t)rest)
			return 0;
		if (more >= 0)
			errno = ENOSPC; /* a short write sets no errno */
	}
	/* A part of the line was written.  The next line must not look like its
	 * end. */
	if (cut || n > 0)
		atomic_store(&s->cut, 1);
	return errno;
}

bool
log_sink_is_removed(int fd)
{
	/* The fstat() of libc makes a system call that can also take a path,
	 * and the sandbox does not allow it.  On other architectures struct
	 * stat of the kernel differs from that of libc. */
#if defined(__x86_64__) || defined(__aarch64__)
	struct stat st;

	return syscall(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_nlink == 0;
#else
	(void)fd;
	return false;
#endif
}

bool
log_sink_is_same(int fd, int other)
{
	struct stat a, b;
	unsigned device_a, device_b;

	if (fstat(fd, &a) == -1 || fstat(other, &b) == -1)
		return false;
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return true;
	/* /dev/tty and the terminal that it stands for are two files. */
	return S_ISCHR(a.st_mode) && S_ISCHR(b.st_mode) &&
	    ioctl(fd, TIOCGDEV, &device_a) == 0 &&
	    ioctl(other, TIOCGDEV, &device_b) == 0 && device_a == device_b;
}
