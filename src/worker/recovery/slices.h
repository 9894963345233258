/* SPDX-License-Identifier: ISC */
/*
 * Which records of its slot a new worker has still to visit.
 *
 * A worker begins to serve before it has looked at the records that its
 * predecessor left.  It visits them in slices between the rounds of its loop,
 * and each of them before anything else uses it (recover.h).
 *
 * Two sums of the slot may be wrong after a death: `held` and `blocks`.  What
 * the new worker adds and subtracts is exact, so the error stays the same.
 * Each connection is counted as it was at the start.  When all are counted,
 * the error is known and is subtracted, once.
 */
#ifndef ECHOD_WORKER_RECOVERY_SLICES_H
#define ECHOD_WORKER_RECOVERY_SLICES_H

#include "shared/arena.h"

struct recovered {
	unsigned kept;	 /* connections that go on */
	unsigned closed; /* connections that cannot */
};

struct slices {
	/* A bit for each record that was visited, or that has become this
	 * slot's since.  NULL: the records are through. */
	uint64_t *visited;
	unsigned next, end; /* of the records */
	/* The sums at the start: according to the slot, and counted. */
	uint32_t held, blocks, counted_held, counted_blocks;
	bool blocks_exact; /* counted anew since by memory.c */
	/* The search for lost sockets. */
	bool searching;
	unsigned next_socket;
	struct recovered result; /* so far */
};

/* Begin with all records of `a` unvisited.  Returns 0, or -1 if there is no
 * memory. */
int slices_begin(struct slices *s, const struct arena *a,
    const struct slot *slot);

/* The records are through: correct the sums of `slot`. */
void slices_end(struct slices *s, struct slot *slot);

/* Search for lost sockets, from the first descriptor on. */
void slices_search(struct slices *s);

static inline bool
slices_is_visited(const struct slices *s, int fd)
{
	return s->visited == NULL ||
	    (s->visited[fd / 64] >> (fd % 64) & 1) != 0;
}

/* The record of `fd` needs no visit any more. */
static inline void
slices_mark(struct slices *s, int fd)
{
	if (s->visited != NULL)
		s->visited[fd / 64] |= UINT64_C(1) << (fd % 64);
}

/* The same for a connection of the slot, which is counted.  This must be done
 * before its windows change and before it leaves the slot. */
static inline void
slices_count(struct slices *s, const struct connection *c, int fd)
{
	if (slices_is_visited(s, fd))
		return;
	slices_mark(s, fd);
	s->counted_held++;
	s->counted_blocks += connection_blocks(c);
}

/* True if slices are left. */
static inline bool
slices_are_left(const struct slices *s)
{
	return s->visited != NULL || s->searching;
}

#endif
