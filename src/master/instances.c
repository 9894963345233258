/* SPDX-License-Identifier: ISC */
/*
 * The epoll(7) instances of the master and of the slots: none of them ever has
 * the number that another one had.
 *
 * A worker's sandbox lets it put anything into one instance, known by its
 * number.  What comes out of the master's own is taken for an index, and in the
 * HTTP library for an address.  Whoever has taken over a worker can close
 * either, and the next one that is made would get its number.
 */
#include "master/instances.h"

#include <errno.h>
#include <sys/epoll.h>

#include "admin/control_socket.h"
#include "admin/http.h"

/* Those that have a number of before stay open, to keep it. */
#define TRIES 8

bool
instances_have(const struct master *m, int fd)
{
	for (unsigned k = 0; k < m->arena.slots; k++)
		if (m->service->slot[k].watch_fd == fd)
			return true;
	return fd == control_socket_watch() || http_has(fd);
}

int
instances_make(const struct master *m)
{
	for (int i = 0; i < TRIES; i++) {
		int fd = epoll_create1(EPOLL_CLOEXEC);

		if (fd == -1 || !instances_have(m, fd))
			return fd;
	}
	errno = EBADF;
	return -1;
}
