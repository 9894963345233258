/* SPDX-License-Identifier: ISC */
/*
 * Sockets that a death left in no record: accepted, and nobody knows of it.
 */
#ifndef ECHOD_WORKER_RECOVERY_LOST_SOCKETS_H
#define ECHOD_WORKER_RECOVERY_LOST_SOCKETS_H

#include "worker/recovery/recover.h"

/* True if `fd` is a socket that was accepted from one of the listeners. */
bool lost_sockets_is_client(const struct worker *w, int fd);

/* Make the client of a record that is TAKING by this slot a connection of it,
 * if the rules allow, and count it. */
void lost_sockets_enter(struct worker *w, int fd, struct recovered *r);

/* Look through all descriptors for clients in no record, and enter them. */
void lost_sockets_find(struct worker *w, struct recovered *r);

#endif
