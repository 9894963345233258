/* SPDX-License-Identifier: ISC */
/*
 * Lost sockets: a death left a client's socket, accepted, in no record.
 */
#ifndef ECHOD_WORKER_RECOVERY_LOST_SOCKETS_H
#define ECHOD_WORKER_RECOVERY_LOST_SOCKETS_H

#include "worker/worker.h"

/* True if `fd` is a socket that was accepted from one of the listeners. */
bool lost_sockets_is_client(const struct worker *w, int fd);

/* If `fd` is lost, claim its record for this slot.  Returns true if it was. */
bool lost_sockets_claim(struct worker *w, int fd);

/* Make the client of a record that this slot has CLAIMED a connection of this
 * slot, if it is allowed.  Returns false if it is closed. */
bool lost_sockets_enter(struct worker *w, int fd);

#endif
