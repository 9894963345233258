/* SPDX-License-Identifier: ISC */
/*
 * The size of windows, in blocks: from the start of the window to the last
 * byte that was written since its pages were released.  Each slot has the sum
 * over its connections, which every worker reads.
 */
#ifndef ECHOD_WORKER_CONNECTION_WINDOW_H
#define ECHOD_WORKER_CONNECTION_WINDOW_H

#include "shared/arena.h"

/* The windows of `c`, a connection of slot `s`, are written up to bytes `input`
 * and `output`, or are about to be. */
void window_grow(struct slot *s, struct connection *c, size_t input,
    size_t output);

/* A connection with its windows becomes slot s's, or ceases to be. */
void window_add(struct slot *s, const struct connection *c);
void window_remove(struct slot *s, const struct connection *c);

/* Release the pages of the windows of `fd`, a connection of slot `s`.  Nothing
 * may be pending in them. */
void window_release(const struct arena *a, struct slot *s, int fd);

/* The same for a connection that has been closed: nothing is counted. */
void window_release_pages(const struct arena *a, int fd);

/* How many bytes more the input window of `c` takes without another block; the
 * first block is free for every window. */
size_t window_room(const struct connection *c);

#endif
