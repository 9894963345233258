/* SPDX-License-Identifier: ISC */
/*
 * An echod that says its arena is laid out as that of the others, and finds
 * out that it is not when it has been executed: it passes the check that a
 * reload makes, and cannot take over.
 */
#include <stdio.h>
#include <string.h>

#include "shared/arena.h"

enum {
	THEIRS = ARENA_VERSION
};

#undef ARENA_VERSION
#define ARENA_VERSION (THEIRS + 1)
#define arena_layout own_layout
const char *own_layout(void);
#include "shared/arena.c"
#include "shared/layout.h"
#undef arena_layout

const char *
arena_layout(void)
{
	static char words[96];

	snprintf(words, sizeof(words), "%u%s", (unsigned)THEIRS,
	    strchr(own_layout(), ' '));
	return words;
}
