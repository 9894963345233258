/* SPDX-License-Identifier: ISC */
/*
 * The shortest input that still breaks a promise: halves are cut out, then
 * quarters, at last bytes (delta debugging).  Bytes that do not matter become
 * an x.
 */
#include "handler-test/shrink.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "handler-test/child.h"

#define SHRINK_TRIES 400
#define SHRINK_HANGS 30

static struct check shrinking;
static enum promise aim;
static unsigned tries;

/* True if these bytes break the promise, too. */
static bool
shrink_breaks(const char *input, size_t size)
{
	struct finding before[PROMISES];
	struct check c = shrinking;
	struct finding found;

	if (tries == 0)
		return false;
	tries--;
	c.input = input;
	c.size = size;
	c.aim = aim;
	memcpy(before, tester->finding, sizeof(before));
	memset(tester->finding, 0, sizeof(tester->finding));
	(void)child_check(&c, SHRINK_STEP_MS);
	found = tester->finding[aim];
	memcpy(tester->finding, before, sizeof(before));
	if (found.found)
		tester->finding[aim] = found;
	return found.found;
}

/* Cut out pieces of `piece` bytes as long as it works. */
static size_t
shrink_pieces(char *input, size_t size, size_t piece, char *room)
{
	size_t at = 0;

	while (at < size && tries > 0) {
		size_t n = piece < size - at ? piece : size - at;

		memcpy(room, input, at);
		memcpy(room + at, input + at + n, size - at - n);
		if (shrink_breaks(room, size - n)) {
			size -= n;
			memcpy(input, room, size);
		} else {
			at += n;
		}
	}
	return size;
}

/* A byte that is an x could be any. */
static void
shrink_simplify(char *input, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = input[i];

		if (c == 'x')
			continue;
		input[i] = 'x';
		if (!shrink_breaks(input, size))
			input[i] = c;
	}
}

size_t
shrink_input(const struct check *c, enum promise p, char *input)
{
	char *room = malloc(c->size + 1);
	size_t size = c->size, before;

	if (room == NULL)
		err(2, "malloc");
	shrinking = *c;
	aim = p;
	tries = SHRINK_TRIES;
	/* A few runs, if they show it. */
	shrinking.light = true;
	if (!shrink_breaks(input, size))
		shrinking.light = c->light;
	if (strstr(tester->finding[p].what, "does not return") != NULL)
		tries = SHRINK_HANGS;
	if (shrink_breaks(room, 0))
		size = 0;
	for (size_t piece = (size + 1) / 2; piece > 0 && size > 0; piece /= 2)
		size = shrink_pieces(input, size, piece, room);
	/* What one byte depended on may have gone with another. */
	do {
		before = size;
		size = shrink_pieces(input, size, 1, room);
	} while (size < before && tries > 0);
	shrink_simplify(input, size);
	free(room);
	return size;
}
