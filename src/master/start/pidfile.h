/* SPDX-License-Identifier: ISC */
/*
 * The pid file: made, written and removed by the master that has it.
 */
#ifndef ECHOD_MASTER_START_PIDFILE_H
#define ECHOD_MASTER_START_PIDFILE_H

#include <limits.h>
#include <stdbool.h>

#include "config/config.h"

/*
 * Held by a lock (holder.h) that a reload hands on with its descriptor.  A
 * process that closes any descriptor of a file loses its locks on it, fcntl(2):
 * the file must not be opened a second time by the service.
 */
struct pidfile {
	int fd; /* -1: none */
	char path[PATH_MAX];
};

#define PIDFILE_NONE \
	{ \
		-1, "" \
	}

/*
 * Make the file that `c` names ours, if it names one, and write our pid.  If
 * `wait`, the workers of an echod that was killed are waited for.  Returns 0, or
 * -1 with the reason logged: another echod has the file, or it cannot be made or
 * written.
 */
int pidfile_claim(struct pidfile *p, const struct config *c, bool wait);

/* After a takeover: `p` is what the image before had, whose path may be another
 * now, or gone.  Returns true if the file at `path` is that one. */
bool pidfile_is_at(const struct pidfile *p, const char *path);

/* See to it that the lock is still ours: where a process looked at our
 * descriptors at the moment of the exec, older kernels drop it.  Returns 0, or
 * -1 with errno set. */
int pidfile_hold(const struct pidfile *p);

/* Empty it, remove it if that is permitted, and let go of it. */
void pidfile_release(struct pidfile *p);

#endif
