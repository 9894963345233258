/* SPDX-License-Identifier: ISC */
/*
 * The steps that starting a service and taking one over have in common.
 */
#ifndef ECHOD_MASTER_START_STEPS_H
#define ECHOD_MASTER_START_STEPS_H

#include "config/config.h"
#include "master/master.h"
#include "master/start/privileges.h"

/* Descriptors the service of `c` has use for. */
unsigned steps_descriptors(const struct config *c);

/* Let the process have so many, and no more: none may be beyond the arena's
 * records.  Stores the hard limit in `most`.  Returns 0, or -1 with errno
 * set. */
int steps_limit(unsigned descriptors, unsigned long *most);

/* Log as `c` says, to files of `id`.  A file that cannot be opened is replaced
 * by the one `inherited`, if that is not -1.  Returns 0, or -1 with the reason
 * logged. */
int steps_log(const struct config *c, const struct identity *id, int inherited);

/* Claim the pid file, if there is to be one, and write our pid; `wait` for the
 * workers of an echod that was killed, if they have it.  Returns 0, or -1 with
 * the reason logged. */
int steps_pidfile(struct pidfile *p, const struct config *c, bool wait);

/* What a reader of the log should know of the configuration. */
void steps_report(const struct config *c);

/* Show in the process title that we serve; from now on a service manager is
 * told, if there is to be one. */
void steps_announce(const struct master *m);

#endif
