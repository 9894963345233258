/* SPDX-License-Identifier: ISC */
/*
 * Workers that have ended: reaped, logged, and their slots made ready for the
 * next ones.
 */
#ifndef ECHOD_MASTER_REAP_H
#define ECHOD_MASTER_REAP_H

#include "master/master.h"

/* Reap all children that have ended.  For a worker, log how it ended and set
 * the time when the next worker of its slot is due. */
void reap(struct master *m);

/* True if `pid` is a child of ours, even if it has ended and was not reaped. */
bool reap_is_child(pid_t pid);

/* Wait until the child process `pid` ends.  Returns its wait status. */
int reap_one(pid_t pid);

/*
 * Note which workers have ended, but leave them to be reaped later, by the next
 * program if this one ends.  If a process has looked into their /proc/PID/fd,
 * reaping takes milliseconds for each, in which no client would be served.
 */
void reap_later(struct master *m);

#endif
