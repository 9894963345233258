/* SPDX-License-Identifier: ISC */
/*
 * When a worker goes: it is told to, or its master is gone.
 */
#ifndef ECHOD_WORKER_LEAVE_H
#define ECHOD_WORKER_LEAVE_H

#include "worker/worker.h"

/* Once a round: true if this worker is to leave between two operations.  If
 * its master is gone, a stop is begun instead. */
bool leave_told(struct worker *w);

/* See whether the master is there; if not, a stop is begun.  If it is, see
 * again at w->parent_at. */
void leave_look(struct worker *w);

#endif
