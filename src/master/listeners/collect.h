/* SPDX-License-Identifier: ISC */
/*
 * The listeners that are wanted.
 */
#ifndef ECHOD_MASTER_LISTENERS_COLLECT_H
#define ECHOD_MASTER_LISTENERS_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/addresses.h"
#include "shared/arena.h"

/*
 * The listeners that are wanted, while they are being collected from those
 * there are, those that were passed (master/listeners/inherit.h) and new ones.
 */
struct collection {
	const struct addresses *addresses;
	const struct config *config;
	unsigned how;	   /* OPEN_TRY or 0 */
	bool used_is_fine; /* somebody listens there */
	struct listener old[2 * ARENA_LISTENERS_MAX]; /* not wanted, so far */
	unsigned olds;
	struct listener wanted[2 * ARENA_LISTENERS_MAX];
	bool opened[ARENA_LISTENERS_MAX]; /* just now */
	unsigned count;
	uint32_t there; /* bind's entries that have an address here */
	char *why;
	size_t size;
};

/*
 * Have a listener for each of `addresses`.  The test of a configuration, the
 * start, the check of a reload and the takeover ask this.  Returns 0, or -1
 * with a reason in `why` and none left open.
 */
int collect_all(struct collection *s);

/*
 * Open the address that `l` is named for.  Returns 0, 1 if the machine does
 * not have it and need not, or -1 with a reason in `why`.
 */
int collect_open(struct collection *s, struct listener *l,
    const struct address *a);

/* The listener called `name`, or NULL. */
struct listener *collect_find(struct listener *l, unsigned n, const char *name);

#endif
