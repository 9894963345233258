/* SPDX-License-Identifier: ISC */
/*
 * The listeners that are wanted: collected from open ones, passed ones and new
 * ones.
 */
#ifndef ECHOD_MASTER_LISTENERS_COLLECT_H
#define ECHOD_MASTER_LISTENERS_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/addresses.h"
#include "shared/arena.h"

/* A collection that is under way. */
struct collection {
	const struct addresses *addresses;
	const struct config *config;
	unsigned how;	   /* OPEN_TRY or 0 */
	bool used_is_fine; /* an address in use is no error */
	struct listener old[2 * ARENA_LISTENERS_MAX]; /* not wanted so far */
	unsigned olds;
	struct listener wanted[2 * ARENA_LISTENERS_MAX];
	bool opened[ARENA_LISTENERS_MAX]; /* by this collection */
	unsigned count;
	/* Of each service, bit i: bind's entry i has an address here. */
	uint32_t there[CONFIG_SERVICES_MAX];
	char *why;
	size_t size;
};

/*
 * Get a listener for each of `addresses`.  This is the one answer for the test
 * of a configuration, the start, the check of a reload and the resume.  Returns
 * 0, or -1 with a reason in `why` and no new listener left open.
 */
int collect_all(struct collection *s);

/*
 * Open the address `a` as listener `l`, which has its name.  Returns 0; or 1 if
 * the machine lacks the address and it is not required; or -1 with a reason in
 * `why`.
 */
int collect_open(struct collection *s, struct listener *l,
    const struct address *a);

/* Returns the listener called `name`, or NULL. */
struct listener *collect_find(struct listener *l, unsigned n, const char *name);

#endif
