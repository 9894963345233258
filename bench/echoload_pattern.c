/* SPDX-License-Identifier: ISC */
/*
 * The ring of lines from which everything is sent and checked.
 */
#include "echoload_pattern.h"

#include <stdlib.h>
#include <string.h>

/* The ring is to stay in the processor's cache, if the lines are short. */
#define RING_AIM (256 << 10)

/*
 * How many lines: a prime, so that no burst goes round evenly and a lost or
 * repeated burst shows.
 */
static size_t
lines_of(size_t size)
{
	static const size_t primes[] = { 4093, 1021, 251, 61 };

	for (size_t i = 0; i < sizeof(primes) / sizeof(primes[0]); i++)
		if (primes[i] * size <= RING_AIM)
			return primes[i];
	return size <= 1 << 20 ? 17 : 5;
}

/* A line begins with its number, so that even short ones differ. */
static void
make_line(char *line, size_t size, size_t number, uint32_t *random)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+-";

	for (size_t i = 0; i < size - 1; i++) {
		if (i < 2) {
			line[i] = digits[number % 64];
			number /= 64;
			continue;
		}
		*random = *random * 1664525 + 1013904223;
		line[i] = digits[*random >> 26];
	}
	line[size - 1] = '\n';
}

int
pattern_make(struct pattern *p, size_t size, unsigned burst)
{
	uint32_t random = 1;

	p->size = size;
	p->lines = lines_of(size);
	p->ring = p->lines * size;
	p->all = p->ring + size * burst;
	p->bytes = malloc(p->all);
	if (p->bytes == NULL)
		return -1;
	for (size_t i = 0; i < p->lines; i++)
		make_line(p->bytes + i * size, size, i, &random);
	for (size_t i = p->ring; i < p->all; i += size)
		memcpy(p->bytes + i, p->bytes + (i - p->ring), size);
	return 0;
}

size_t
pattern_place(const struct pattern *p, unsigned id, uint64_t at)
{
	return (size_t)((id * UINT64_C(7919) * p->size + at) % p->ring);
}

/* The same for bytes that lie in one piece. */
static size_t
match_piece(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	if (memcmp(a, b, n) == 0)
		return n;
	while (a[i] == b[i])
		i++;
	return i;
}

size_t
pattern_match(const struct pattern *p, size_t place, const char *bytes,
    size_t n)
{
	size_t done = 0, piece, same;

	while (done < n) {
		piece = n - done < p->all - place ? n - done : p->all - place;
		same = match_piece(bytes + done, p->bytes + place, piece);
		done += same;
		if (same < piece)
			break;
		place = (place + piece) % p->ring;
	}
	return done;
}
