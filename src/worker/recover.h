/*
 * Taking over a slot: whatever a predecessor left in it goes on.
 */
#ifndef ECHOD_WORKER_RECOVER_H
#define ECHOD_WORKER_RECOVER_H

#include "worker/worker.h"

/*
 * Adopt what the slot holds (usually nothing) and settle the operation that
 * was in progress, if any.  Returns the number of connections adopted.
 */
unsigned recover(struct worker *w);

#endif
