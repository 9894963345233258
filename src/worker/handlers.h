/* SPDX-License-Identifier: ISC */
/*
 * The handlers of a worker: modules are loaded at its start, before the sandbox
 * forbids it.
 */
#ifndef ECHOD_WORKER_HANDLERS_H
#define ECHOD_WORKER_HANDLERS_H

#include "worker/worker.h"

/*
 * Load the handlers that the master's table says connections have, and map what
 * their configure() has filled in: w->handler, w->service_entry.  Without a
 * table, those of worker_init() stay.  Returns 0, or -1 with the reason logged.
 */
int handlers_load(struct worker *w);

#endif
