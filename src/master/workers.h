/* SPDX-License-Identifier: ISC */
/*
 * The workers as a whole: all started, and all killed.
 */
#ifndef ECHOD_MASTER_WORKERS_H
#define ECHOD_MASTER_WORKERS_H

#include <stdbool.h>

#include "master/master.h"

/*
 * Start config->workers workers and wait until each of them serves.  The
 * listeners are open.  If `upgrade`, the slots are those of the program before,
 * as its workers left them.  Returns 0, or -1 with the reason logged and no
 * worker left.
 */
int workers_start(struct master *m, bool upgrade);

/* The number of workers that serve. */
unsigned workers_ready(const struct master *m);

/* Kill all workers and wait for their end.  The service is over then. */
void workers_kill(struct master *m);

#endif
