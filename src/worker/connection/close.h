/* SPDX-License-Identifier: ISC */
/*
 * The end of a connection: its record, its descriptor, its line in the log.
 */
#ifndef ECHOD_WORKER_CONNECTION_CLOSE_H
#define ECHOD_WORKER_CONNECTION_CLOSE_H

#include "worker/worker.h"

/* Close `fd`, a connection of this slot; count and log the reason.  `error` is
 * the errno of the call that failed, or 0. */
void close_connection(struct worker *w, int fd, enum close_reason reason,
    int error);

/* The same, and reset the connection: the client receives RST. */
void close_reset(struct worker *w, int fd, enum close_reason reason);

/* Watch `fd` as events_add() does, or close it if that fails.  Returns false if
 * it is closed. */
bool close_unless_watched(struct worker *w, int fd);

/* Add a connection that ended to the slot's counters and to the log.  `c` may
 * be a copy: a refused client has no record. */
void close_account(struct worker *w, const struct connection *c,
    enum close_reason reason, int error);

/* Close `fd`, whose record is CLOSING by this slot, and free the record. */
void close_descriptor(struct worker *w, int fd);

#endif
