/* SPDX-License-Identifier: ISC */
/*
 * The hot connections.
 */
#include "worker/balance/active.h"

#include <stdlib.h>

#include "worker/memory.h"

/* Rounds of the loop without an event after which a connection is not hot. */
#define INACTIVE_ROUNDS 64
/* Rounds between two looks for such. */
#define LOOK_ROUNDS 32

static bool
active_grow(struct worker *w)
{
	unsigned n = w->active_allocated == 0 ? 64 : w->active_allocated * 2;
	struct active *active = reallocarray(w->active, n, sizeof(*active));

	if (active == NULL)
		return false;
	w->active = active;
	w->active_allocated = n;
	return true;
}

static void
active_count(struct worker *w)
{
	atomic_store_explicit(&w->slot->active, w->active_count,
	    memory_order_relaxed);
}

/* Where `fd` is among the hot ones; CONNECTION_INACTIVE if it is not.  The
 * record's word for it stands where others can write. */
static unsigned
active_place(const struct worker *w, int fd)
{
	unsigned i = worker_connection(w, fd)->active;

	return i < w->active_count && w->active[i].fd == fd
	    ? i
	    : CONNECTION_INACTIVE;
}

bool
active_touch(struct worker *w, int fd)
{
	unsigned i = active_place(w, fd);
	bool was = i != CONNECTION_INACTIVE;

	if (!was) {
		/* Without memory it is served as well, but not shared. */
		if (w->active_count == w->active_allocated && !active_grow(w))
			return true;
		i = w->active_count++;
		w->active[i].fd = fd;
		worker_connection(w, fd)->active = i;
		active_count(w);
	}
	w->active[i].seen = w->round;
	return !was;
}

void
active_remove(struct worker *w, int fd)
{
	unsigned i = active_place(w, fd);

	if (i == CONNECTION_INACTIVE)
		return;
	w->active[i] = w->active[--w->active_count];
	worker_connection(w, w->active[i].fd)->active = i;
	worker_connection(w, fd)->active = CONNECTION_INACTIVE;
	active_count(w);
}

static void
active_trim(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	/* An idle connection costs its record and no page of its own. */
	if (c->blocks > 0 && connection_pending(c) == 0)
		memory_release(w, fd);
	active_remove(w, fd);
}

void
active_round(struct worker *w)
{
	if (++w->round % LOOK_ROUNDS != 0)
		return;
	/* Downwards: removing one moves the last, which was looked at, into
	 * its place. */
	for (unsigned i = w->active_count; i-- > 0;)
		if (w->round - w->active[i].seen >= INACTIVE_ROUNDS)
			active_trim(w, w->active[i].fd);
}
