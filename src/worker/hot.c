/*
 * The hot connections.
 */
#include "worker/hot.h"

#include <stdlib.h>

#include "worker/memory.h"

/* Rounds of the loop without an event after which a connection is not hot. */
#define COOL_ROUNDS 64
/* Rounds between two looks for such. */
#define LOOK_ROUNDS 32

static bool
grow(struct worker *w)
{
	unsigned n = w->hot_allocated == 0 ? 64 : w->hot_allocated * 2;
	struct hot *hot = reallocarray(w->hot, n, sizeof(*hot));

	if (hot == NULL)
		return false;
	w->hot = hot;
	w->hot_allocated = n;
	return true;
}

static void
count(struct worker *w)
{
	atomic_store_explicit(&w->slot->hot, w->hots, memory_order_relaxed);
}

/* Where `fd` is among the hot ones; CONNECTION_NOT_HOT if it is not.  The
 * record's word for it stands where others can write. */
static unsigned
place(const struct worker *w, int fd)
{
	unsigned i = worker_connection(w, fd)->hot;

	return i < w->hots && w->hot[i].fd == fd ? i : CONNECTION_NOT_HOT;
}

bool
hot_touch(struct worker *w, int fd)
{
	unsigned i = place(w, fd);
	bool was = i != CONNECTION_NOT_HOT;

	if (!was) {
		/* Without memory it is served as well, but not shared. */
		if (w->hots == w->hot_allocated && !grow(w))
			return true;
		i = w->hots++;
		w->hot[i].fd = fd;
		worker_connection(w, fd)->hot = i;
		count(w);
	}
	w->hot[i].seen = w->round;
	return !was;
}

void
hot_remove(struct worker *w, int fd)
{
	unsigned i = place(w, fd);

	if (i == CONNECTION_NOT_HOT)
		return;
	w->hot[i] = w->hot[--w->hots];
	worker_connection(w, w->hot[i].fd)->hot = i;
	worker_connection(w, fd)->hot = CONNECTION_NOT_HOT;
	count(w);
}

static void
cool(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	/* An idle connection costs its record and no page of its own. */
	if (c->blocks > 0 && connection_pending(c) == 0)
		memory_release(w, fd);
	hot_remove(w, fd);
}

void
hot_round(struct worker *w)
{
	if (++w->round % LOOK_ROUNDS != 0)
		return;
	/* Downwards: removing one moves the last, which was looked at, into
	 * its place. */
	for (unsigned i = w->hots; i-- > 0;)
		if (w->round - w->hot[i].seen >= COOL_ROUNDS)
			cool(w, w->hot[i].fd);
}
