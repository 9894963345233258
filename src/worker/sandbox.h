/* SPDX-License-Identifier: ISC */
/*
 * What a worker gives up before it serves.
 */
#ifndef ECHOD_WORKER_SANDBOX_H
#define ECHOD_WORKER_SANDBOX_H

#include "worker/worker.h"

/*
 * Give up, for the rest of this process's life, every system call that a worker
 * has no use for, as config->sandbox says.  Whoever makes one is killed by
 * SIGSYS and leaves its number in slot->denied.  A kernel that has no filters
 * is warned of once, and service goes on without.  Everything a worker opens
 * or sets must be done before.
 */
void sandbox_enter(const struct worker *w);

#endif
