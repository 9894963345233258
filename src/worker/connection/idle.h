/* SPDX-License-Identifier: ISC */
/*
 * Clients whose time is up: they are silent for `timeout`, or they are gone, or
 * their PROXY header does not come.
 */
#ifndef ECHOD_WORKER_CONNECTION_IDLE_H
#define ECHOD_WORKER_CONNECTION_IDLE_H

#include "worker/worker.h"

/* A worker has looked at its slot: check all connections at once, since the
 * former worker may not have done so. */
void idle_begin(struct worker *w);

/* Once a round: keep TIMER_IDLE set while the slot holds connections. */
void idle_round(struct worker *w);

/* At TIMER_IDLE: close the connections that are idle or gone, or some of
 * them; then the timer is set again. */
void idle_sweep(struct worker *w);

/* At TIMER_HEADERS: the same for connections whose PROXY header is overdue. */
void idle_headers(struct worker *w);

#endif
