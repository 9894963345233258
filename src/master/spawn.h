/* SPDX-License-Identifier: ISC */
/*
 * Starting worker processes.
 */
#ifndef ECHOD_MASTER_SPAWN_H
#define ECHOD_MASTER_SPAWN_H

#include "master/master.h"

/* Make the descriptors of the master and of the first config->workers slots, if
 * they have none yet.  Returns 0, or -1 with errno set. */
int spawn_prepare(struct master *m);

/* Make the descriptors of slot `k`, if it has none yet.  Returns 0, or -1 with
 * errno set. */
int spawn_prepare_slot(struct master *m, unsigned k);

/* Start a worker for slot `k` now.  Returns 0, or -1 with the reason logged;
 * then spawn_due() tries again after a second. */
int spawn(struct master *m, unsigned k);

/* Ask the worker of slot `k` to leave between two operations. */
void spawn_leave(struct master *m, unsigned k);

/* Start the workers that are due. */
void spawn_due(struct master *m);

/* When spawn_due() has something to do next, clock_ms(). */
uint64_t spawn_next(const struct master *m);

#endif
