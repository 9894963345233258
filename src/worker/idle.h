/*
 * Clients that have been silent for `timeout` are closed, and those that are
 * not there any more.
 */
#ifndef ECHOD_WORKER_IDLE_H
#define ECHOD_WORKER_IDLE_H

#include "worker/worker.h"

/* Start the timer, if the configuration has one of both to look for. */
void idle_init(struct worker *w);

/* Look through the connections when it is time to. */
void idle_sweep(struct worker *w);

#endif
