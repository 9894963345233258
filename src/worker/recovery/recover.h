/* SPDX-License-Identifier: ISC */
/*
 * Recovery: a worker takes over a slot, and everything that the slot's last
 * worker left in it goes on.
 *
 * If another death interrupts any of this at any point, it can be done again.
 */
#ifndef ECHOD_WORKER_RECOVERY_RECOVER_H
#define ECHOD_WORKER_RECOVERY_RECOVER_H

#include "worker/worker.h"

/*
 * Make the slot this worker's: settle the operation that its last worker had in
 * progress, if any.  That takes the same time for any number of connections.
 * The rest is left to the slices.  Returns 0, or -1 if there is no memory.
 */
int recover_begin(struct worker *w);

/* At TIMER_RECOVERY: visit some records, for less than a millisecond.  Returns
 * false if none is left. */
bool recover_slice(struct worker *w);

/* Take over the unattended slot `k`, whose operation is settled in the same
 * way.  No other worker may work on it. */
struct recovered recover_adopt(struct worker *w, unsigned k);

#endif
