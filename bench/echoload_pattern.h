/* SPDX-License-Identifier: ISC */
/*
 * What is sent: a ring of different lines.  The stream of a connection is a
 * walk round the ring that begins at a line of its own, so that a byte at a
 * stream position is known without being kept, a burst is sent from where it
 * lies, and an echo is checked by memcmp(3).
 */
#ifndef ECHOLOAD_PATTERN_H
#define ECHOLOAD_PATTERN_H

#include <stddef.h>
#include <stdint.h>

struct pattern {
	char *bytes; /* the ring, and its beginning once more */
	size_t ring; /* bytes of the ring, a multiple of size */
	size_t all;  /* bytes of the ring and a burst */
	size_t size, lines;
};

/*
 * Make a ring of lines of `size` bytes, from any line of which `burst` lines
 * lie in one piece.  Returns -1 without memory.
 */
int pattern_make(struct pattern *p, size_t size, unsigned burst);

/* Where in the ring byte `at` of connection `id`'s stream lies. */
size_t pattern_place(const struct pattern *p, unsigned id, uint64_t at);

/* How many of `n` bytes are what the ring has from `place` on. */
size_t pattern_match(const struct pattern *p, size_t place, const char *bytes,
    size_t n);

#endif
