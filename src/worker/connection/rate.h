/* SPDX-License-Identifier: ISC */
/*
 * How many clients come in a second: altogether, and from one address.
 *
 * Both rates are kept by the generic cell rate algorithm (ITU-T I.371): one
 * point in time, at which the next client would be due if they came at the
 * rate exactly, tells all.  It is one word in the arena, so that no death
 * leaves it wrong.
 */
#ifndef ECHOD_WORKER_CONNECTION_RATE_H
#define ECHOD_WORKER_CONNECTION_RATE_H

#include "worker/worker.h"

/* Milliseconds until the next client may be accepted; 0: now. */
unsigned rate_wait(const struct worker *w);

/* One was let in: it counts. */
void rate_take(const struct worker *w);

/* It has gone without a word: it does not. */
void rate_return(struct worker *w);

/* True if one more client of the address with this key (edge.c) may come in
 * now; it counts then. */
bool rate_allows(const struct worker *w, uint64_t key);

#endif
