/* SPDX-License-Identifier: ISC */
/*
 * The kernel's want of memory: workers are killed for it before the master, and
 * what they held is given up when killing them does not help.
 */
#ifndef ECHOD_MASTER_OOM_H
#define ECHOD_MASTER_OOM_H

#include "master/master.h"

/* From now on, kills for want of memory are noticed. */
void oom_begin(struct master *m);

/* Have the kernel kill the worker `pid` rather than us. */
void oom_expose(pid_t pid);

/* Worker `k` has ended with `status`.  True if the kernel has killed it for
 * want of memory; its successor then makes room if it was not the first one in
 * a row. */
bool oom_killed(struct master *m, unsigned k, int status);

#endif
