/* SPDX-License-Identifier: ISC */
/*
 * Calls that do less than they could, for LD_PRELOAD: what strace cannot fake,
 * since the rest has to come to pass all the same.
 *
 * recv, send and write take or give a part only, or were interrupted, or have
 * nothing now; epoll_pwait and ppoll were interrupted; the client that accept4
 * was about to have has gone.  About one call in four, by chance.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A whole number below `n`; xorshift, of each process its own. */
static unsigned
chance(unsigned n)
{
	static uint32_t x;

	if (x == 0)
		x = (uint32_t)getpid() * 2654435761U | 1;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

static size_t
part(size_t len)
{
	if (len < 2 || chance(4) != 0)
		return len;
	return chance(2) == 0 ? 1 : 1 + chance((unsigned)len);
}

/* True, with errno set, if the call is to fail. */
static int
fails(int error, int other)
{
	if (chance(8) != 0)
		return 0;
	errno = chance(2) == 0 ? error : other;
	return 1;
}

ssize_t
recv(int fd, void *to, size_t len, int flags)
{
	if (fails(EINTR, EAGAIN))
		return -1;
	return syscall(SYS_recvfrom, fd, to, part(len), flags, NULL, NULL);
}

ssize_t
send(int fd, const void *from, size_t len, int flags)
{
	if (fails(EINTR, EAGAIN))
		return -1;
	return syscall(SYS_sendto, fd, from, part(len), flags, NULL, 0);
}

int
epoll_pwait(int fd, struct epoll_event *events, int most, int ms,
    const sigset_t *mask)
{
	int (*real)(int, struct epoll_event *, int, int, const sigset_t *);

	if (fails(EINTR, EINTR))
		return -1;
	*(void **)&real = dlsym(RTLD_NEXT, "epoll_pwait");
	return real(fd, events, most, ms, mask);
}

int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *ts,
    const sigset_t *mask)
{
	int (*real)(struct pollfd *, nfds_t, const struct timespec *,
	    const sigset_t *);

	if (fails(EINTR, EINTR))
		return -1;
	*(void **)&real = dlsym(RTLD_NEXT, "ppoll");
	return real(fds, n, ts, mask);
}

int
accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	if (fails(EINTR, ECONNABORTED))
		return -1;
	return (int)syscall(SYS_accept4, fd, address, len, flags);
}
