/* SPDX-License-Identifier: ISC */
/*
 * Taking new clients from the accept queue; their one home.
 */
#ifndef ECHOD_WORKER_CONNECTION_ACCEPT_H
#define ECHOD_WORKER_CONNECTION_ACCEPT_H

#include "worker/worker.h"

/* What an attempt to empty an accept queue came to. */
enum accepted {
	ACCEPT_MORE,  /* a batch was taken, there may be more */
	ACCEPT_EMPTY, /* nobody waits, or the listener is shut down */
	ACCEPT_PAUSED /* no descriptor or memory: a timer is set */
};

/* From now on searches through the records reach `fd`. */
void accept_note(const struct arena *a, int fd);

/* Enter `fd`, a client's socket that is accepted and whose record this slot is
 * TAKING, its cookie in there already, as a connection of slot `to`;
 * `charged`: it counts for accept-rate. */
void accept_enter(struct worker *w, int fd, const struct peer *peer,
    unsigned to, bool charged);

/* Take a batch of clients, as accept-rate allows, from the listener with index
 * `i`. */
enum accepted accept_some(struct worker *w, unsigned i);

/*
 * Take all who wait at the listener with index `i`, which is going away and
 * they with it: accept-rate is for those who come.  With `shut`, a queue found
 * empty is shut in the same breath, so that who comes later is refused at once
 * instead of waiting in it for nothing; other workers' accept4 fails with
 * EINVAL from then on.  Returns false if it was not emptied, for lack of
 * descriptors or memory: a timer is set.
 */
bool accept_queue(struct worker *w, unsigned i, bool shut);

#endif
