/* SPDX-License-Identifier: ISC */
/*
 * Taking note of workers that ended.
 */
#ifndef ECHOD_MASTER_REAP_H
#define ECHOD_MASTER_REAP_H

#include "master/master.h"

/* Reap whoever ended, say how in the log, and note when its slot's next
 * worker is due. */
void reap(struct master *m);

/* True if `pid` is a child of ours, even if it has ended and was not reaped. */
bool reap_is_child(pid_t pid);

/* Wait until the child process `pid` ends; returns its wait status. */
int reap_one(pid_t pid);

/*
 * Take note of workers that ended, but leave them to be reaped by the image
 * that comes next: where somebody has looked into their /proc/PID/fd, that
 * takes milliseconds for each, in which nobody would be served.
 */
void reap_later(struct master *m);

#endif
