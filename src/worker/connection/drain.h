/* SPDX-License-Identifier: ISC */
/*
 * The stop of a worker: everything received is echoed, then all is closed.
 */
#ifndef ECHOD_WORKER_CONNECTION_DRAIN_H
#define ECHOD_WORKER_CONNECTION_DRAIN_H

#include "worker/worker.h"

/* Begin: from now on the worker only finishes what it has. */
void drain_begin(struct worker *w);

/*
 * One step, at least once a round: takes what waits in the accept queues
 * until they are empty and shut, closes what is done, cuts what is left when
 * the deadline has passed.  Returns true when nothing is held any more.
 */
bool drain_step(struct worker *w);

#endif
