/* SPDX-License-Identifier: ISC */
/*
 * The active set: an array of connections, whose records hold the index.
 */
#include "worker/balance/active.h"

#include <stdlib.h>

#include "worker/connection/window.h"

/* A connection without an event for so many rounds of the loop is not active
 * any more. */
#define INACTIVE_ROUNDS 64
/* Rounds between two searches for such connections. */
#define LOOK_ROUNDS 32

void
active_init(struct active_set *s, const struct arena *a, unsigned slot)
{
	*s = (struct active_set){ .arena = a, .slot = &a->slot[slot] };
}

static bool
active_grow(struct active_set *s)
{
	unsigned n = s->allocated == 0 ? 64 : s->allocated * 2;
	struct active_entry *entry = reallocarray(s->entry, n, sizeof(*entry));

	if (entry == NULL)
		return false;
	s->entry = entry;
	s->allocated = n;
	return true;
}

static void
active_store_count(struct active_set *s)
{
	atomic_store_explicit(&s->slot->active, s->count, memory_order_relaxed);
}

/* The index of `fd` in the set; CONNECTION_INACTIVE if it is not active.  Other
 * processes can write to the record, so the index in the record is checked. */
static unsigned
active_index(const struct active_set *s, int fd)
{
	unsigned i = s->arena->connection[fd].active;

	return i < s->count && s->entry[i].fd == fd ? i : CONNECTION_INACTIVE;
}

bool
active_touch(struct active_set *s, int fd)
{
	unsigned i = active_index(s, fd);
	bool was = i != CONNECTION_INACTIVE;

	if (!was) {
		/* Without memory the connection is served, but not shared. */
		if (s->count == s->allocated && !active_grow(s))
			return true;
		i = s->count++;
		s->entry[i].fd = fd;
		s->arena->connection[fd].active = i;
		active_store_count(s);
	}
	s->entry[i].seen = s->round;
	return !was;
}

void
active_remove(struct active_set *s, int fd)
{
	unsigned i = active_index(s, fd);

	if (i == CONNECTION_INACTIVE)
		return;
	s->entry[i] = s->entry[--s->count];
	s->arena->connection[s->entry[i].fd].active = i;
	s->arena->connection[fd].active = CONNECTION_INACTIVE;
	active_store_count(s);
}

/* True if a window of `c` has pages and nothing is pending in them. */
static bool
active_can_release(const struct connection *c)
{
	return connection_blocks(c) > 0 && connection_pending(c) == 0;
}

static void
active_deactivate(struct active_set *s, int fd)
{
	/* An idle connection costs its record and no page of its own. */
	if (active_can_release(&s->arena->connection[fd]))
		window_release(s->arena, s->slot, fd);
	active_remove(s, fd);
}

void
active_round(struct active_set *s)
{
	if (++s->round % LOOK_ROUNDS != 0)
		return;
	/* Downwards: removing an entry moves the last one into its place, and
	 * the last one has been looked at. */
	for (unsigned i = s->count; i-- > 0;)
		if (s->round - s->entry[i].seen >= INACTIVE_ROUNDS)
			active_deactivate(s, s->entry[i].fd);
}

/* The window of an inactive connection was released when the connection was
 * deactivated. */
bool
active_trim(struct active_set *s)
{
	bool any = false;

	for (unsigned i = 0; i < s->count; i++) {
		int fd = s->entry[i].fd;
		struct connection *c = &s->arena->connection[fd];

		if (c->used != 0) {
			c->used = 0;
			any = true;
		} else if (active_can_release(c))
			window_release(s->arena, s->slot, fd);
	}
	return any;
}
