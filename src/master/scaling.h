/* SPDX-License-Identifier: ISC */
/*
 * More workers, fewer workers, and slots that siblings adopt.
 */
#ifndef ECHOD_MASTER_SCALING_H
#define ECHOD_MASTER_SCALING_H

#include "master/master.h"

/* Add a worker.  `source` is a signal's name or another source for the log.  If
 * it cannot be added, the reason is logged. */
void scaling_grow(struct master *m, const char *source);

/* Remove a worker: its connections move to the others. */
void scaling_shrink(struct master *m, const char *source);

/* The number of workers that are not retiring. */
unsigned scaling_staying(const struct master *m);

/* Give the unattended slots to siblings: one that serves is asked to adopt the
 * connections.  If there is none, the slot waits for its own next worker.  A
 * slot that is retired and empty is removed. */
void scaling_step(struct master *m);

#endif
