/* SPDX-License-Identifier: ISC */
/*
 * A limit of the processor time that one step of a handler may take.
 *
 * The watchdog of the master waits for a stuck worker much longer, and all the
 * clients of the worker with it.  Only processor time counts: a worker that the
 * system does not run is not blamed.
 */
#ifndef ECHOD_WORKER_STEP_LIMIT_H
#define ECHOD_WORKER_STEP_LIMIT_H

#include "worker/worker.h"

/* From now on a step that takes longer ends this process by SIGXCPU.  Call
 * signals_choose() first, and this before the sandbox. */
void step_limit_begin(const struct worker *w);

#endif
