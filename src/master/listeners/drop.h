/* SPDX-License-Identifier: ISC */
/*
 * Listeners that a reload dropped.
 */
#ifndef ECHOD_MASTER_LISTENERS_DROP_H
#define ECHOD_MASTER_LISTENERS_DROP_H

#include "master/master.h"

/* The next image has taken over: have a worker empty the queues of listeners
 * that were dropped, then close them. */
void drop_begin(struct master *m);

/* Go on with that, if it is time to; when it is next, clock_ms(). */
void drop_step(struct master *m);
uint64_t drop_next(const struct master *m);

#endif
