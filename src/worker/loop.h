/* SPDX-License-Identifier: ISC */
/*
 * The worker's loop, and the entry point of a worker process.
 */
#ifndef ECHOD_WORKER_LOOP_H
#define ECHOD_WORKER_LOOP_H

#include "config/config.h"
#include "shared/arena.h"
#include "shared/worker_exit.h"
#include "shared/worker_place.h"

/*
 * Take the slot of `place` and serve until told to stop.  Runs in a process of
 * its own that shares the descriptor table and the arena with its parent;
 * signals are blocked on entry.  Returns the exit status, enum
 * worker_exit.
 */
int worker_main(const struct config *config, const struct arena *arena,
    const struct worker_place *place);

#endif
