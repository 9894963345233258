/*
 * Sockets that a death left in no record: accepted, and nobody knows of it.
 */
#ifndef ECHOD_WORKER_ORPHANS_H
#define ECHOD_WORKER_ORPHANS_H

#include "worker/recover.h"

/* True if `fd` is a socket that was accepted from one of the listeners. */
bool orphan_is_client(const struct worker *w, int fd);

/* Make the client of a record that is TAKING by this slot a connection of it,
 * if the rules allow, and count it. */
void orphan_enter(struct worker *w, int fd, struct recovered *r);

/* Look through all descriptors for clients in no record, and enter them. */
void orphans_find(struct worker *w, struct recovered *r);

#endif
