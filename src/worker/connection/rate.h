/* SPDX-License-Identifier: ISC */
/*
 * How many clients a service accepts in a second: altogether, and from one
 * address.  The service is that of a handler's `entry`.
 *
 * Both rates use the generic cell rate algorithm (ITU-T I.371).  Its only state
 * is the time at which the next client would be due if clients came exactly at
 * the rate.  That is one word in the arena, so no death leaves it wrong.
 */
#ifndef ECHOD_WORKER_CONNECTION_RATE_H
#define ECHOD_WORKER_CONNECTION_RATE_H

#include "worker/worker.h"

/* Milliseconds until the next client may be accepted; 0: now. */
unsigned rate_wait(const struct worker *w, unsigned entry);

/* A client was accepted: count it. */
void rate_take(const struct worker *w, unsigned entry);

/* A client has gone without sending anything: do not count it. */
void rate_return(struct worker *w, unsigned entry);

/* True if one more client of the address with this key (admission.c) may be
 * accepted now; it is counted then. */
bool rate_allows(const struct worker *w, unsigned entry, uint64_t key);

#endif
