/* SPDX-License-Identifier: ISC */
/*
 * The memory that clients' pending bytes take: windows.
 *
 * A window is counted in blocks, from its start to the furthest that was ever
 * written since its pages were given back.  Each slot has the sum of those of
 * its connections, for all to read.  While the sum over all slots is above
 * maxmemory-clients (memory is "full"), nobody is read whose window would
 * grow, beyond its first block that is; after a moment those with the largest
 * windows are closed, until a margin below it.
 *
 * Windows with nothing in them are given back when they were not used for a
 * while.
 */
#ifndef ECHOD_WORKER_MEMORY_H
#define ECHOD_WORKER_MEMORY_H

#include "worker/worker.h"

/* The window of `fd`, which is this worker's, has been written up to its byte
 * `end`, or is about to be. */
void memory_took(struct worker *w, int fd, size_t end);

/* The same of a connection of slot `s`, whoever serves it. */
void memory_count(struct slot *s, struct connection *c, size_t end);

/* A connection with its window becomes slot s's, or is it no more. */
void memory_add(struct slot *s, const struct connection *c);
void memory_remove(struct slot *s, const struct connection *c);

/* Give the window of `fd`, of this worker's, back.  Nothing may be pending in
 * it. */
void memory_release(struct worker *w, int fd);

/* While memory is full: how much more the window of `c` may take. */
size_t memory_room(const struct connection *c);

/* Memory is full, and there is no room for `fd`: it is not read until there
 * is.  `events`, as from epoll(7), may be that it has gone. */
void memory_pause(struct worker *w, int fd, uint32_t events);

/* See whether memory is full. */
void memory_look(struct worker *w);

/* Those that are not read are again; for a drain. */
void memory_relieve(struct worker *w);

/* To be called at w->trim_at and w->memory_at. */
void memory_step(struct worker *w);

/* Close all of this worker's connections that hold much.  Returns how many. */
unsigned memory_shed(struct worker *w);

#endif
