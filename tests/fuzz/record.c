/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing what the next program reads: the record of a takeover, and an arena
 * that somebody else has made.  It takes them or refuses them with a reason;
 * and a master in an arena of any contents answers what it is asked.
 *
 * Input: a byte that says which; then the record, or patches to a header that
 * is attached, or that and patches made after it was.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ground.h"
#include "master.h"
#include "master/upgrade/record.h"

static void
check_record(const uint8_t *data, size_t size)
{
	static struct upgrade_record t, again;
	int record = memfd_create("fuzz", MFD_CLOEXEC), copy;
	char why[256] = "";

	must(record != -1 && write(record, data, size) == (ssize_t)size);
	if (record_read(&t, record, why, sizeof(why)) == -1)
		must(why[0] != '\0');
	else {
		must(t.listeners <= ARENA_LISTENERS_MAX);
		must((copy = record_write(&t)) != -1);
		if (record_read(&again, copy, why, sizeof(why)) == -1) {
			fprintf(stderr, "%s\n", why);
			abort();
		}
		must(strcmp(t.program, again.program) == 0 &&
		    t.began == again.began && t.arena == again.arena);
		close(copy);
	}
	close(record);
}

static void
check_attach(struct input *in)
{
	const struct arena *made = ground_arena();
	struct arena a;
	char why[256] = "";

	made->header->listeners = 1;
	strcpy(made->header->listener[0].name, "127.0.0.1:1");
	ground_patch(made, in, 255);
	if (arena_attach(&a, made->fd, why, sizeof(why)) == -1) {
		must(strncmp(why, "arena: ", 7) == 0);
		return;
	}
	ground_fence(&a, true);
	ground_patch(&a, in, 254);
	master_exercise(&a);
	ground_fence(&a, false);
	munmap(a.header, a.bytes);
}

int
fuzz_record(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	if (size == 0)
		return 0;
	master_quiet();
	if (input_byte(&in) % 2 == 0)
		check_record(in.data, in.left);
	else
		check_attach(&in);
	return 0;
}
