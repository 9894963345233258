/* SPDX-License-Identifier: ISC */
/*
 * The stop of a worker: all input that was received is echoed, then all
 * connections are closed.
 */
#ifndef ECHOD_WORKER_CONNECTION_DRAIN_H
#define ECHOD_WORKER_CONNECTION_DRAIN_H

#include "worker/worker.h"

/* Begin: from now on the worker only finishes its connections. */
void drain_begin(struct worker *w);

/* At TIMER_REMOVED, which a start sets: the same for connections of services
 * that the configuration does not have any more, each until its deadline. */
void drain_removed(struct worker *w);

/*
 * One step, once a round: at TIMER_DRAIN, accept the clients in the accept
 * queues until the queues are empty and shut, close the connections that are
 * finished, and cut the others when the deadline has passed.  Returns true if
 * the slot holds nothing any more.
 */
bool drain_step(struct worker *w);

#endif
