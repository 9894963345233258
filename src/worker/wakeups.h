/* SPDX-License-Identifier: ISC */
/*
 * The connections of a worker that want attention at some time, earliest first:
 * a binary heap, whose indexes are in the records.
 *
 * An entry may be too early: a connection that puts its time off is not moved,
 * but looked at once more than necessary.
 */
#ifndef ECHOD_WORKER_WAKEUPS_H
#define ECHOD_WORKER_WAKEUPS_H

#include "shared/arena.h"

struct wakeup {
	uint64_t at; /* clock_ms() */
	int fd;
};

struct wakeups {
	const struct arena *arena;
	struct wakeup *entry;
	unsigned count, allocated;
};

void wakeups_init(struct wakeups *s, const struct arena *a);

/* `fd` wants attention at `at`, or before.  Returns false if there is no
 * memory. */
bool wakeups_set(struct wakeups *s, int fd, uint64_t at);

/* `fd` ceases to be this worker's. */
void wakeups_remove(struct wakeups *s, int fd);

/* Remove and return a connection whose time has come at `now`; -1 if there is
 * none. */
int wakeups_take(struct wakeups *s, uint64_t now);

/* The earliest time; CLOCK_NEVER if there is none. */
uint64_t wakeups_next(const struct wakeups *s);

#endif
