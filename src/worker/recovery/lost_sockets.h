/* SPDX-License-Identifier: ISC */
/*
 * Lost sockets: a death left a client's socket, accepted, in no record.
 */
#ifndef ECHOD_WORKER_RECOVERY_LOST_SOCKETS_H
#define ECHOD_WORKER_RECOVERY_LOST_SOCKETS_H

#include "worker/worker.h"

/* True if `fd` is a socket that was accepted from one of the listeners. */
bool lost_sockets_is_client(const struct worker *w, int fd);

/*
 * The first lost socket with a descriptor of at least `fd`, whose record this
 * slot has claimed; -1 if there is none.
 */
int lost_sockets_next(struct worker *w, int fd);

/* Make the client of a record that this slot has CLAIMED a connection of this
 * slot, if it is allowed.  Returns false if it is closed. */
bool lost_sockets_enter(struct worker *w, int fd);

#endif
