/* SPDX-License-Identifier: ISC */
/*
 * The active set: the connections of a worker that have something to do now
 * and then, as opposed to the many that are silent.  The slots share active
 * connections evenly first.
 */
#ifndef ECHOD_WORKER_BALANCE_ACTIVE_H
#define ECHOD_WORKER_BALANCE_ACTIVE_H

#include "shared/arena.h"

struct active_entry {
	int fd;
	unsigned seen; /* round of its last event */
};

struct active_set {
	const struct arena *arena;
	struct slot *slot;
	struct active_entry *entry;
	unsigned count, allocated;
	unsigned round; /* of the loop */
};

void active_init(struct active_set *s, const struct arena *a, unsigned slot);

/* `fd` has something to do: activate it.  Returns false if it was active. */
bool active_touch(struct active_set *s, int fd);

/* Deactivate `fd`.  No effect if it is not active. */
void active_remove(struct active_set *s, int fd);

/* One round of the loop is over.  Now and then, connections that had nothing to
 * do for many rounds are deactivated, and the pages of their windows are
 * released. */
void active_round(struct active_set *s);

/* Release the windows that nothing is pending in and that were not used since
 * the last call.  Returns true if any window was used since then. */
bool active_trim(struct active_set *s);

/* The active connection with index `i`, of s->count. */
static inline int
active_at(const struct active_set *s, unsigned i)
{
	return s->entry[i].fd;
}

#endif
