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

#define OOM_SCORE 16

struct oom {
	uint64_t kills;	 /* that the kernel has counted so far */
	uint64_t at;	 /* clock_ms() when they became more; 0: not yet */
	char *reserve;	 /* memory to release when there is none */
	unsigned pieces; /* of it that are left */
	char score[OOM_SCORE]; /* a worker's oom_score_adj */
};

/* Notice kills from now on, and take the reserve.  If `o` is another process's,
 * that has another reserve. */
void oom_begin(struct oom *o);

/* Before a worker is started.  If the kernel has killed a moment ago, release a
 * piece of the reserve: a worker that finds no memory before
 * oom_expose_self() would cost the master its life. */
void oom_make_room(struct oom *o);

/* In a new worker, before it needs memory: make the kernel kill this process
 * before the master.  `score` is oom->score. */
void oom_expose_self(const char *score);

/* The same for the administration process `pid`, before any worker. */
void oom_expose(pid_t pid);

/* True if the kernel has killed a process for want of memory in the last
 * moments: a process that can wait is not started now. */
bool oom_is_recent(struct oom *o);

/*
 * Worker `c` of slot `k`, which is `s`, has ended with `status`.  Returns true
 * if the kernel has killed it for want of memory.  If that is not the first
 * such death in a row, the next worker of the slot closes clients that hold
 * much.
 */
bool oom_killed(struct oom *o, struct child *c, struct slot *s, unsigned k,
    int status);

#endif
