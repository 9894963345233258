/* SPDX-License-Identifier: ISC */
/*
 * Recovery: a worker takes over a slot, and everything that the slot's last
 * worker left in it goes on.
 */
#ifndef ECHOD_WORKER_RECOVERY_RECOVER_H
#define ECHOD_WORKER_RECOVERY_RECOVER_H

#include "worker/worker.h"

struct recovered {
	unsigned kept;	 /* connections that go on */
	unsigned closed; /* connections that cannot */
};

/*
 * Settle the operation that the dead worker of slot `k` had in progress, if
 * any, and make everything that the slot holds this worker's.  `k` is the
 * worker's own slot at its start, or an unattended slot that it adopts.  No
 * other worker may work on slot `k`.  If another death interrupts this at any
 * point, it can be done again.
 */
struct recovered recover(struct worker *w, unsigned k);

#endif
