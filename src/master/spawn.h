/* SPDX-License-Identifier: ISC */
/*
 * Starting worker processes.
 */
#ifndef ECHOD_MASTER_SPAWN_H
#define ECHOD_MASTER_SPAWN_H

#include "master/master.h"

/* Make the master's wake-up descriptor and those of the first slots, where
 * there are none yet.  Returns 0, or -1 with errno set. */
int spawn_prepare(struct master *m);

/* Make the descriptors that slot `k` owns, if it has none.  Returns 0, or -1
 * with errno set. */
int spawn_prepare_slot(struct master *m, unsigned k);

/* Start a worker for slot `k` now.  If that fails, the reason is logged and
 * it is tried again after a second.  Returns 0 or -1. */
int spawn(struct master *m, unsigned k);

/* Ask the worker of slot `k` to leave between two operations. */
void spawn_leave(struct master *m, unsigned k);

/* Start whichever workers are due. */
void spawn_due(struct master *m);

/* When spawn_due() has something to do next, clock_ms(). */
uint64_t spawn_next(const struct master *m);

#endif
