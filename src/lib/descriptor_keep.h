/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that survive an exec, or do not.
 */
#ifndef ECHOD_LIB_DESCRIPTOR_KEEP_H
#define ECHOD_LIB_DESCRIPTOR_KEEP_H

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* Let `fd` survive an exec if `keep`, else close it on exec.  Standard streams
 * and -1 stay as they are.  Returns 0, or -1 with errno set. */
static inline int
descriptor_keep(int fd, bool keep)
{
	return fd > STDERR_FILENO ? fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC)
				  : 0;
}

#endif
