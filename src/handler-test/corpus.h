/* SPDX-License-Identifier: ISC */
/*
 * The conversations that are tried: those that the user gives, and what can be
 * made of them.
 */
#ifndef ECHOD_HANDLER_TEST_CORPUS_H
#define ECHOD_HANDLER_TEST_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conversation {
	char *bytes;
	size_t size;
	bool light; /* see checks.h */
};

/* Add a copy. */
void corpus_add(const char *bytes, size_t size, bool light);

/* Add the contents of a file, "-": of standard input.  Returns false with
 * errno. */
bool corpus_read(const char *path);

/* Add what every handler must bear: nothing, lines, binary, and lines that are
 * longer than in_max. */
void corpus_add_usual(size_t in_max);

/* Add variants of what is there: in_max bytes more at some places, parts
 * missing, repeated or changed, and random bytes. */
void corpus_vary(size_t in_max, uint64_t *seed);

/* A variant that is not kept: the next call overwrites it. */
const struct conversation *corpus_next(uint64_t *seed);

/* Sort by size and give the list. */
const struct conversation *corpus_list(size_t *count);

#endif
