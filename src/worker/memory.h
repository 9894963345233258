/* SPDX-License-Identifier: ISC */
/*
 * The limit of the memory that clients' pending bytes take.
 *
 * While the sum of all windows is above maxmemory-clients (memory is "full"),
 * a connection is not read if its window would grow beyond its first block.
 * After a moment the connections with the largest windows are closed, until
 * the sum is a margin below the limit.
 *
 * A window with nothing in it is released if it was not used for a while.
 */
#ifndef ECHOD_WORKER_MEMORY_H
#define ECHOD_WORKER_MEMORY_H

#include "worker/worker.h"

/* The windows of `fd`, a connection of this worker, are written up to bytes
 * `input` and `output`, or are about to be. */
void memory_took(struct worker *w, int fd, size_t input, size_t output);

/* Memory is full, and the window of `fd` has no room: stop reading it until
 * there is room.  `events`, as from epoll(7), may say that the client has
 * gone. */
void memory_pause(struct worker *w, int fd, uint32_t events);

/* See whether memory is full: sets w->memory_full. */
void memory_look(struct worker *w);

/* Memory is not full any more, or a stop begins: read all connections again. */
void memory_relieve(struct worker *w);

/* At TIMER_TRIM: release unused windows. */
void memory_trim(struct worker *w);

/* At TIMER_MEMORY, while memory is full: close the connections with the
 * largest windows, or relieve. */
void memory_judge(struct worker *w);

/* Close all connections of this worker that hold much.  Returns how many. */
unsigned memory_shed(struct worker *w);

#endif
