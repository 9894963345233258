/* SPDX-License-Identifier: ISC */
/*
 * Clients whose time is up: silent for `timeout`, not there any more, or with
 * a PROXY header that does not come.
 */
#ifndef ECHOD_WORKER_CONNECTION_IDLE_H
#define ECHOD_WORKER_CONNECTION_IDLE_H

#include "worker/worker.h"

/* Start the timers, as far as there is something to look for. */
void idle_init(struct worker *w);

/* Look through the connections when it is time to. */
void idle_sweep(struct worker *w);

/* The same for those that await a header, at w->header_at; sets that anew. */
void idle_headers(struct worker *w);

#endif
