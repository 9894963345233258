/* SPDX-License-Identifier: ISC */
/*
 * Taking over a slot: whatever its last worker left in it goes on.
 */
#ifndef ECHOD_WORKER_RECOVERY_RECOVER_H
#define ECHOD_WORKER_RECOVERY_RECOVER_H

#include "worker/worker.h"

struct recovered {
	unsigned kept;	 /* connections that go on */
	unsigned closed; /* connections that could not */
};

/*
 * Settle the operation that slot `k`'s dead worker had in progress, if any,
 * and make everything the slot held this worker's own.  `k` is the worker's
 * own slot at its start, or a sibling's that has no worker for a while.
 * Nobody else may be at work on slot `k`.  Interrupted by another death at any
 * point, it can be done again.
 */
struct recovered recover(struct worker *w, unsigned k);

#endif
