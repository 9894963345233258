/* SPDX-License-Identifier: ISC */
/*
 * The size of windows, in blocks: from the start of the window to the last
 * byte that was written since its pages were released.  Each slot has the sum
 * over its connections, which every worker reads.
 */
#ifndef ECHOD_WORKER_CONNECTION_WINDOW_H
#define ECHOD_WORKER_CONNECTION_WINDOW_H

#include "shared/arena.h"

/* The window of `c`, a connection of slot `s`, is written up to byte `end`, or
 * is about to be. */
void window_grow(struct slot *s, struct connection *c, size_t end);

/* A connection with its window becomes slot s's, or ceases to be. */
void window_add(struct slot *s, const struct connection *c);
void window_remove(struct slot *s, const struct connection *c);

/* Release the pages of the window of `fd`, a connection of slot `s`.  Nothing
 * may be pending in the window. */
void window_release(const struct arena *a, struct slot *s, int fd);

/* How many bytes more the window of `c` takes without another block; the first
 * block is free for every window. */
size_t window_room(const struct connection *c);

#endif
