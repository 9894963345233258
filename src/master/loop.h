/* SPDX-License-Identifier: ISC */
/*
 * The master's loop.
 */
#ifndef ECHOD_MASTER_LOOP_H
#define ECHOD_MASTER_LOOP_H

#include "master/master.h"

/* Run the service, whose workers serve (workers_start()), until it is stopped.
 * Returns the program's exit status. */
int loop_run(struct master *m);

#endif
