/* SPDX-License-Identifier: ISC */
/*
 * The conversations that are tried.
 */
#include "handler-test/corpus.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handler-test/tester.h"

#define CORPUS_MOST 1024
#define CORPUS_FILE 1048576 /* bytes of a file that are read */
#define CORPUS_STUFFED 6    /* places of in_max bytes, of each conversation */
#define CORPUS_CHANGED 24
#define CORPUS_RANDOM 16

static struct conversation list[CORPUS_MOST];
static size_t count;
static char *scratch;
static size_t scratch_size;

void
corpus_add(const char *bytes, size_t size, bool light)
{
	struct conversation *c = &list[count];

	if (count == CORPUS_MOST)
		return;
	c->bytes = malloc(size + 1);
	if (c->bytes == NULL)
		err(2, "malloc");
	memcpy(c->bytes, bytes, size);
	c->size = size;
	c->light = light;
	count++;
}

bool
corpus_read(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	char *bytes;
	size_t n;
	bool good;

	if (f == NULL)
		return false;
	bytes = malloc(CORPUS_FILE);
	if (bytes == NULL)
		err(2, "malloc");
	errno = 0;
	n = fread(bytes, 1, CORPUS_FILE, f);
	good = !ferror(f);
	if (good)
		corpus_add(bytes, n, false);
	free(bytes);
	if (f != stdin)
		fclose(f);
	return good;
}

/* A line of `n` bytes and its newline. */
static void
corpus_add_line(size_t n)
{
	char *line = malloc(n + 8);

	if (line == NULL)
		err(2, "malloc");
	memset(line, 'x', n);
	memcpy(line + n, "\nend\n", 5);
	corpus_add(line, n + 5, n > 1024);
	free(line);
}

void
corpus_add_usual(size_t in_max)
{
	static const char binary[] = "\0\1\n\377\376\r\n\0\0\n\200";

	corpus_add("", 0, false);
	corpus_add("\n", 1, false);
	corpus_add("hello\r\n", 7, false);
	corpus_add("one\ntwo\n\nthree", 14, false);
	corpus_add(binary, sizeof(binary) - 1, false);
	for (size_t n = in_max > 2 ? in_max - 2 : 0; n <= in_max + 1; n++)
		corpus_add_line(n);
	corpus_add_line(2 * in_max - 1);
	corpus_add_line(2 * in_max);
	corpus_add_line(2 * in_max + 3);
}

static char *
corpus_room(size_t size)
{
	if (size > scratch_size) {
		scratch = realloc(scratch, size);
		if (scratch == NULL)
			err(2, "malloc");
		scratch_size = size;
	}
	return scratch;
}

/* in_max bytes more at `at`: the byte there again and again. */
static void
corpus_stuff(const struct conversation *c, size_t at, size_t in_max)
{
	size_t more = in_max + 1;
	char *room = corpus_room(c->size + more);

	memcpy(room, c->bytes, at);
	memset(room + at, at < c->size ? c->bytes[at] : 'x', more);
	memcpy(room + at + more, c->bytes + at, c->size - at);
	corpus_add(room, c->size + more, true);
}

/* One change of a conversation: a part is missing, or comes twice, or a byte
 * is another one.  Returns the new size; the bytes are in scratch. */
static size_t
corpus_change(const struct conversation *c, uint64_t *seed)
{
	size_t from, n;
	char *room = corpus_room(2 * c->size + 1);

	memcpy(room, c->bytes, c->size);
	if (c->size == 0)
		return 0;
	from = tester_random(seed) % c->size;
	n = 1 + tester_random(seed) % (c->size - from);
	switch (tester_random(seed) % 4) {
	case 0:
		memmove(room + from, room + from + n, c->size - from - n);
		return c->size - n;
	case 1:
		memmove(room + from + n, room + from, c->size - from);
		return c->size + n;
	case 2:
		room[from] = (char)tester_random(seed);
		return c->size;
	default:
		room[from] ^= (char)(1U << tester_random(seed) % 8);
		return c->size;
	}
}

static size_t
corpus_random(uint64_t *seed)
{
	static const char common[] = "\r\n\0 09a*$+-:";
	size_t n = 1 + tester_random(seed) % 64;
	char *room = corpus_room(n);
	bool text = tester_random(seed) % 2 == 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t r = tester_random(seed);

		room[i] = text ? common[r % (sizeof(common) - 1)] : (char)r;
	}
	return n;
}

void
corpus_vary(size_t in_max, uint64_t *seed)
{
	size_t given = count;

	for (size_t i = 0; i < given; i++) {
		/* corpus_add() does not move the list. */
		const struct conversation *c = &list[i];
		size_t step = c->size / CORPUS_STUFFED + 1;

		if (c->light || c->size > in_max)
			continue;
		for (size_t at = 0; at <= c->size; at += step)
			corpus_stuff(c, at, in_max);
	}
	for (size_t i = 0; i < CORPUS_CHANGED && given > 0; i++) {
		size_t n = corpus_change(&list[i % given], seed);

		corpus_add(scratch, n, true);
	}
	for (size_t i = 0; i < CORPUS_RANDOM; i++) {
		size_t n = corpus_random(seed);

		corpus_add(scratch, n, true);
	}
}

const struct conversation *
corpus_next(uint64_t *seed)
{
	static struct conversation next;

	if (count == 0 || tester_random(seed) % 8 == 0)
		next.size = corpus_random(seed);
	else
		next.size = corpus_change(&list[tester_random(seed) % count],
		    seed);
	next.bytes = scratch;
	next.light = false;
	return &next;
}

static int
corpus_compare(const void *a, const void *b)
{
	const struct conversation *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

const struct conversation *
corpus_list(size_t *n)
{
	qsort(list, count, sizeof(list[0]), corpus_compare);
	*n = count;
	return list;
}
