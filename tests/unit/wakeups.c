/* SPDX-License-Identifier: ISC */
/*
 * The heap of wakeups, beside a list without order.
 */
#include <stdlib.h>

#include "lib/clock.h"
#include "tap.h"
#include "worker/wakeups.h"

#define MANY 200
#define TIMES 100

static struct arena arena;
static struct wakeups heap;
static uint64_t list[MANY]; /* CLOCK_NEVER: none */

static uint64_t
earliest(void)
{
	uint64_t t = CLOCK_NEVER;

	for (int fd = 0; fd < MANY; fd++)
		t = clock_earlier(t, list[fd]);
	return t;
}

static void
up(void)
{
	free(heap.entry);
	wakeups_init(&heap, &arena);
	for (int fd = 0; fd < MANY; fd++)
		list[fd] = CLOCK_NEVER;
}

static bool
set(int fd, uint64_t at)
{
	list[fd] = clock_earlier(list[fd], at);
	return wakeups_set(&heap, fd, at);
}

static bool
take(uint64_t now)
{
	uint64_t t = earliest();
	int fd = wakeups_take(&heap, now);

	if (fd == -1)
		return t > now;
	if (list[fd] != t || t > now)
		return false;
	list[fd] = CLOCK_NEVER;
	return true;
}

static void
test_few(void)
{
	up();
	ok(wakeups_next(&heap) == CLOCK_NEVER &&
		wakeups_take(&heap, UINT64_MAX - 1) == -1,
	    "none");
	ok(set(3, 50) && set(5, 20) && set(7, 90) && wakeups_next(&heap) == 20,
	    "the earliest is next");
	ok(wakeups_take(&heap, 19) == -1 && wakeups_take(&heap, 20) == 5 &&
		wakeups_next(&heap) == 50,
	    "it is taken when its time has come, and not before");
	ok(set(7, 30) && wakeups_next(&heap) == 30 && heap.count == 2,
	    "an earlier time replaces a later one");
	ok(set(7, 70) && wakeups_next(&heap) == 30 && heap.count == 2,
	    "a later time does not replace an earlier one");
	wakeups_remove(&heap, 7);
	wakeups_remove(&heap, 7);
	wakeups_remove(&heap, 8);
	ok(heap.count == 1 && wakeups_take(&heap, 100) == 3 && heap.count == 0,
	    "removed, once");
	wakeups_remove(&heap, 3);
	ok(heap.count == 0 && set(3, 1) && wakeups_take(&heap, 1) == 3,
	    "and set again");
}

/* The record has the index: another process may write to it. */
static void
test_spoilt(void)
{
	up();
	(void)set(3, 50);
	(void)set(5, 20);
	arena.connection[3].wakeup = UINT32_MAX;
	arena.connection[5].wakeup = arena.connection[3].wakeup;
	ok(set(3, 10) && heap.count <= 4 && wakeups_take(&heap, 10) == 3,
	    "an index out of bounds: in bounds, and not lost");
	arena.connection[5].wakeup = 1;
	wakeups_remove(&heap, 5);
	ok(heap.count <= 3 && wakeups_take(&heap, 20) != -1,
	    "an index of another: that one stays");
}

static void
test_many(void)
{
	bool good = true;

	up();
	srand(7);
	for (unsigned n = 0; n < 200000 && good; n++) {
		int fd = rand() % MANY;

		switch (rand() % 4) {
		case 0:
		case 1:
			good = set(fd, (uint64_t)rand() % TIMES);
			break;
		case 2:
			wakeups_remove(&heap, fd);
			list[fd] = CLOCK_NEVER;
			break;
		default:
			good = take((uint64_t)rand() % TIMES / 4);
		}
		good = good && wakeups_next(&heap) == earliest();
		if (!good)
			printf("# after %u\n", n);
	}
	ok(good, "always the earliest of many");
	while (good && heap.count > 0)
		good = take(TIMES);
	ok(good && earliest() == CLOCK_NEVER, "and all are taken in order");
}

int
main(void)
{
	if (arena_create(&arena, 1, MANY, MANY) == -1) {
		perror("arena_create");
		return 1;
	}
	test_few();
	test_spoilt();
	test_many();
	return tap_done();
}
