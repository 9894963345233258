/* SPDX-License-Identifier: ISC */
/*
 * The connections of a worker that want attention at some time.
 */
#include "worker/wakeups.h"

#include <stdlib.h>

#include "lib/clock.h"

void
wakeups_init(struct wakeups *s, const struct arena *a)
{
	*s = (struct wakeups){ .arena = a };
}

/* The index of `fd`; s->count if it has none.  Other processes can write to the
 * record, so the index in the record is checked. */
static unsigned
wakeups_index(const struct wakeups *s, int fd)
{
	unsigned i = s->arena->connection[fd].wakeup;

	return i < s->count && s->entry[i].fd == fd ? i : s->count;
}

static void
wakeups_put(struct wakeups *s, unsigned i, struct wakeup e)
{
	s->entry[i] = e;
	s->arena->connection[e.fd].wakeup = i;
}

/* Put `e` at index `i` or above. */
static void
wakeups_rise(struct wakeups *s, unsigned i, struct wakeup e)
{
	for (unsigned up; i > 0; i = up) {
		up = (i - 1) / 2;
		if (s->entry[up].at <= e.at)
			break;
		wakeups_put(s, i, s->entry[up]);
	}
	wakeups_put(s, i, e);
}

/* Put `e` at index `i` or below. */
static void
wakeups_sink(struct wakeups *s, unsigned i, struct wakeup e)
{
	for (unsigned down; (down = 2 * i + 1) < s->count; i = down) {
		if (down + 1 < s->count &&
		    s->entry[down + 1].at < s->entry[down].at)
			down++;
		if (e.at <= s->entry[down].at)
			break;
		wakeups_put(s, i, s->entry[down]);
	}
	wakeups_put(s, i, e);
}

static bool
wakeups_grow(struct wakeups *s)
{
	unsigned n = s->allocated == 0 ? 64 : s->allocated * 2;
	struct wakeup *entry = reallocarray(s->entry, n, sizeof(*entry));

	if (entry == NULL)
		return false;
	s->entry = entry;
	s->allocated = n;
	return true;
}

bool
wakeups_set(struct wakeups *s, int fd, uint64_t at)
{
	unsigned i = wakeups_index(s, fd);

	if (i < s->count) {
		if (at < s->entry[i].at)
			wakeups_rise(s, i, (struct wakeup){ at, fd });
		return true;
	}
	if (s->count == s->allocated && !wakeups_grow(s))
		return false;
	i = s->count++;
	wakeups_rise(s, i, (struct wakeup){ at, fd });
	return true;
}

void
wakeups_remove(struct wakeups *s, int fd)
{
	unsigned i = wakeups_index(s, fd);
	struct wakeup last;

	if (i == s->count)
		return;
	last = s->entry[--s->count];
	if (i == s->count)
		return;
	/* The last one may belong above or below. */
	if (i > 0 && last.at < s->entry[(i - 1) / 2].at)
		wakeups_rise(s, i, last);
	else
		wakeups_sink(s, i, last);
}

int
wakeups_take(struct wakeups *s, uint64_t now)
{
	int fd;

	if (s->count == 0 || s->entry[0].at > now)
		return -1;
	fd = s->entry[0].fd;
	if (--s->count > 0)
		wakeups_sink(s, 0, s->entry[s->count]);
	return fd;
}

uint64_t
wakeups_next(const struct wakeups *s)
{
	return s->count > 0 ? s->entry[0].at : CLOCK_NEVER;
}
