/* SPDX-License-Identifier: ISC */
/*
 * Accepting new clients.
 */
#ifndef ECHOD_WORKER_CONNECTION_ACCEPT_H
#define ECHOD_WORKER_CONNECTION_ACCEPT_H

#include "worker/worker.h"

/* The result of an attempt to empty an accept queue. */
enum accepted {
	ACCEPT_MORE,	/* a batch was accepted, there may be more */
	ACCEPT_EMPTY,	/* no client waits, or the listener is shut */
	ACCEPT_LIMITED, /* accept-rate of its service: TIMER_ACCEPT is set */
	ACCEPT_PAUSED	/* not now, from no listener: TIMER_ACCEPT is set */
};

/* Searches through the records reach `fd` from now on. */
void accept_note(const struct arena *a, int fd);

/* Make `fd`, an accepted socket whose record this slot has CLAIMED and which
 * has its cookie already, a connection of slot `to` with the handler of
 * `entry`.  `charged`: it counts for accept-rate. */
void accept_enter(struct worker *w, int fd, const struct peer *peer,
    unsigned entry, unsigned to, bool charged);

/* Accept a batch of clients, as accept-rate permits, from the listener with
 * index `i`. */
enum accepted accept_some(struct worker *w, unsigned i);

/*
 * Accept all clients that wait at the listener with index `i`, regardless of
 * accept-rate: the listener goes away, and its queue with it.  With `shut`, the
 * empty queue is shut at once, so that a later client is refused instead of
 * waiting for nothing; accept4(2) of other workers then fails with EINVAL.
 * Returns false if the queue was not emptied, for lack of descriptors or
 * memory; TIMER_ACCEPT is set then.
 */
bool accept_queue(struct worker *w, unsigned i, bool shut);

#endif
