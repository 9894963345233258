/*
 * Claiming the record of a number for the client's socket it stands for.
 *
 * Between accept4(2) and the record a socket is nobody's.  Who accepted it may
 * die there, or stand still while a successor of somebody else who died finds
 * it: claiming is a compare-and-swap for both, and who comes second lets go.
 */
#ifndef ECHOD_WORKER_CLAIM_H
#define ECHOD_WORKER_CLAIM_H

#include "worker/worker.h"

/* True if `fd` is a client's socket that no record speaks of; a living worker
 * may have accepted it this moment. */
bool claim_is_due(const struct worker *w, int fd);

/*
 * Make the record of `fd` one that this slot is TAKING.  It is FREE, or still
 * says CLOSING by who closed the number's former socket.  Returns false if the
 * socket is another's now, or closed.
 */
bool claim(const struct worker *w, int fd);

/* The same for a record that a dead worker was TAKING. */
bool claim_inherit(const struct worker *w, int fd);

#endif
