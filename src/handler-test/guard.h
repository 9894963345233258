/* SPDX-License-Identifier: ISC */
/*
 * Memory between guard pages: who reaches over its edge crashes, and the crash
 * has a name.
 */
#ifndef ECHOD_HANDLER_TEST_GUARD_H
#define ECHOD_HANDLER_TEST_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct guard {
	char *view;  /* what the module sees */
	char *alias; /* the same memory, writable */
	size_t size; /* a multiple of the page size */
};

/* Map at least `size` bytes between two guard pages.  The module sees them
 * read-only if `fixed` is set.  `name` is for messages.  The program ends if
 * memory is short. */
void guard_map(struct guard *g, const char *name, size_t size, bool fixed);

/* Hide the view, or show it again, read-only. */
void guard_hide(const struct guard *g, bool hide);

/* The name of the memory that `address` is in or near: "in".  NULL if it is
 * none of ours.  `edge` is set if it is in a guard page. */
const char *guard_name(const void *address, bool *edge);

#endif
