/* SPDX-License-Identifier: ISC */
/*
 * The pid file: claimed, written and removed by the master.
 */
#ifndef ECHOD_MASTER_START_PIDFILE_H
#define ECHOD_MASTER_START_PIDFILE_H

#include <limits.h>
#include <stdbool.h>

#include "config/config.h"

/*
 * The master holds the file by a lock (holder.h), which a reload hands on with
 * the descriptor.  A process that closes any descriptor of a file loses its
 * locks on the file, fcntl(2): so the service must not open it a second time.
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
 * Claim the file that `c` names, if it names one, and write our pid.  If the
 * workers of an echod that was killed still hold it and `wait`, wait for their
 * end.  Returns 0, or -1 with the reason logged: another echod has the file, or
 * it cannot be made or written.
 */
int pidfile_claim(struct pidfile *p, const struct config *c, bool wait);

/* True if the file at `path` is the one that is open as `p`. */
bool pidfile_is_at(const struct pidfile *p, const char *path);

/* Take the lock again after an exec: if a process looked at our descriptors at
 * that moment, older kernels drop the lock.  Returns 0, or -1 with errno set.
 */
int pidfile_hold(const struct pidfile *p);

/* Write our pid, and take the lock in our name: this process has the place and
 * the descriptors of the process that had claimed the file.  Returns 0, or -1
 * with errno set. */
int pidfile_move(const struct pidfile *p);

/* Empty the file, remove it if that is permitted, and release it. */
void pidfile_release(struct pidfile *p);

#endif
