/* SPDX-License-Identifier: ISC */
/*
 * Closing a descriptor only if it is of the kind that it should be.
 *
 * A master that takes over from one that was killed has the accounts of an
 * interrupted process: the descriptor may be closed already, and the number may
 * be a client's socket.
 */
#ifndef ECHOD_LIB_DESCRIPTOR_CLOSE_H
#define ECHOD_LIB_DESCRIPTOR_CLOSE_H

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A regular file, a memfd, or anything that was opened by O_PATH. */
static inline void
descriptor_close_file(int fd)
{
	int flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFL) : -1;
	struct stat st;

	if (flags != -1 &&
	    ((flags & O_PATH) != 0 ||
		(fstat(fd, &st) == 0 && S_ISREG(st.st_mode))))
		close(fd);
}

/* A socket that listens. */
static inline void
descriptor_close_listener(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	if (fd > STDERR_FILENO &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	    listens != 0)
		close(fd);
}

#endif
