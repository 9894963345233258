/* SPDX-License-Identifier: ISC */
/*
 * Kills for want of memory (the OOM killer): workers are killed before the
 * master, and give up clients' data if their deaths alone do not help.
 */
#ifndef ECHOD_MASTER_OOM_H
#define ECHOD_MASTER_OOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "master/child.h"
#include "shared/slot.h"

struct oom {
	uint64_t kills; /* that the kernel has counted so far */
	uint64_t at;	/* clock_ms() when they became more; 0: not yet */
};

/* Notice kills from now on. */
void oom_begin(struct oom *o);

/* Make the kernel kill the worker `pid` before the master. */
void oom_expose(pid_t pid);

/*
 * Worker `c` of slot `k`, which is `s`, has ended with `status`.  Returns true
 * if the kernel has killed it for want of memory.  If that is not the first
 * such death in a row, the next worker of the slot closes clients that hold
 * much.
 */
bool oom_killed(struct oom *o, struct child *c, struct slot *s, unsigned k,
    int status);

#endif
