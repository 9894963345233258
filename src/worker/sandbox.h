/* SPDX-License-Identifier: ISC */
/*
 * The rights that a worker gives up before it serves.
 */
#ifndef ECHOD_WORKER_SANDBOX_H
#define ECHOD_WORKER_SANDBOX_H

#include "worker/worker.h"

/*
 * Give up, for the rest of this process's life, every system call that a worker
 * does not need, as config->sandbox says.  A worker that makes such a call is
 * killed by SIGSYS and leaves the number of the call in slot->denied.  If the
 * kernel has no filters, the log says so once and the service goes on without.
 * A worker opens and sets everything before this call.
 */
void sandbox_enter(const struct worker *w);

#endif
