/* SPDX-License-Identifier: ISC */
/*
 * An echod that says its arena is laid out as that of the others
 * (shared/layout.c), and finds out that it is not when it has been executed: it
 * passes the check that a reload makes, and cannot take over.
 */
#include "shared/arena.h"

enum {
	THEIRS = ARENA_VERSION
};

#undef ARENA_VERSION
#define ARENA_VERSION (THEIRS + 1)
#include "shared/arena.c"
