/*
 * The parking lot: connections that have been silent for some rounds wait in
 * the slot's epoll instance, where thousands of them cost nothing.
 */
#ifndef ECHOD_WORKER_PARK_H
#define ECHOD_WORKER_PARK_H

#include "worker/worker.h"

/* Rounds of the loop without an event after which a connection is parked. */
#define PARK_ROUNDS 64

/* Move a hot connection to the lot.  It stays hot if the kernel has no memory
 * for another entry. */
void park(struct worker *w, int fd);

/* Put a connection that is not hot into the lot.  Returns 0, or -1 if the
 * kernel has no memory for it. */
int park_enroll(struct worker *w, int fd);

/* Take a connection out of the lot, for another slot to watch.  CONN_PARKED
 * stays and tells that one how. */
void park_forget(struct worker *w, int fd);

/* Make a connection hot, wherever it is now.  Returns 0, or -1 if there was no
 * memory and it was closed. */
int unpark(struct worker *w, int fd);

/* Make every connection that became ready in the lot hot again and serve
 * it. */
void park_wake(struct worker *w);

#endif
