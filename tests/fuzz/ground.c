/* SPDX-License-Identifier: ISC */
/*
 * A small arena for fuzzing, and patches that an input makes to it.
 */
#include "ground.h"

#include "shared/service.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define FENCES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FENCES 1
#endif
#endif
#ifdef FENCES
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(from, n) ((void)(from), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(from, n) ((void)(from), (void)(n))
#endif

struct service_state *ground_service;
int ground_service_fd;

enum place {
	AT_HEADER,
	AT_SLOT,
	AT_RECORD,
	AT_INBOX,
	AT_MARK,
	AT_SERVICE,
	AT_SCRATCH,
	AT_WINDOW,
	AT_STATE,
	AT_OUTPUT,
	PLACES
};

uint8_t
input_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->data++;
}

static void
fence(const void *end, const void *next, bool on)
{
	size_t n = (size_t)((const char *)next - (const char *)end);

	if (on)
		ASAN_POISON_MEMORY_REGION(end, n);
	else
		ASAN_UNPOISON_MEMORY_REGION(end, n);
}

/* What is behind each scratch buffer of a slot: pages that
 * arena_guard_scratch() would guard. */
static void
fence_scratch(const struct arena *a, unsigned k, bool on)
{
	char *next = arena_scratch(a, k) + a->scratch_stride;

	fence(arena_scratch(a, k) + SCRATCH_BYTES, arena_scratch_output(a, k),
	    on);
	fence(arena_scratch_output(a, k) + OUTPUT_WINDOW,
	    arena_scratch_state(a, k, STATE_LIMIT), on);
	fence(next - a->guard, next, on);
}

void
ground_fence(const struct arena *a, bool on)
{
	fence(a->header + 1, a->slot, on);
	fence(a->slot + GROUND_SLOTS, a->scratch, on);
	fence(a->handoff + GROUND_SLOTS * a->handoff_words, a->mark, on);
	fence(a->mark + GROUND_DESCRIPTORS, a->service, on);
	fence(a->service + GROUND_DESCRIPTORS, a->rate, on);
	fence(a->rate + ARENA_RATES, a->connection, on);
	fence(a->connection + GROUND_DESCRIPTORS, a->state, on);
	fence(a->state + (size_t)GROUND_DESCRIPTORS * STATE_STRIDE, a->output,
	    on);
	fence(a->output + (size_t)GROUND_DESCRIPTORS * OUTPUT_WINDOW, a->window,
	    on);
	for (unsigned k = 0; k < GROUND_SLOTS; k++)
		fence_scratch(a, k, on);
}

static void
make(struct arena *a)
{
	char why[128];
	int high;

	must(arena_create(a, GROUND_SLOTS, GROUND_DESCRIPTORS,
		 GROUND_DESCRIPTORS) == 0);
	high = fcntl(a->fd, F_DUPFD_CLOEXEC, 2 * GROUND_DESCRIPTORS);
	must(high != -1);
	close(a->fd);
	a->fd = high;
	ground_service = service_make(a, &ground_service_fd, -1, why,
	    sizeof(why));
	must(ground_service != NULL);
	high = fcntl(ground_service_fd, F_DUPFD_CLOEXEC,
	    2 * GROUND_DESCRIPTORS);
	must(high != -1);
	close(ground_service_fd);
	ground_service_fd = high;
	ground_fence(a, true);
}

struct arena *
ground_arena(void)
{
	static struct arena a;
	static struct arena_header pristine;
	static struct service_state own;

	if (a.header == NULL) {
		make(&a);
		pristine = *a.header;
		own = *ground_service;
	} else {
		*a.header = pristine;
		*ground_service = own;
		memset(a.slot, 0, GROUND_SLOTS * sizeof(a.slot[0]));
		memset(a.handoff, 0,
		    GROUND_SLOTS * a.handoff_words * sizeof(a.handoff[0]));
		memset(a.mark, 0, GROUND_DESCRIPTORS * sizeof(a.mark[0]));
		memset(a.service, 0, GROUND_DESCRIPTORS);
		memset((void *)a.connection, 0,
		    GROUND_DESCRIPTORS * sizeof(a.connection[0]));
		(void)madvise(a.state,
		    (size_t)((char *)a.header + a.bytes - a.state),
		    MADV_REMOVE);
	}
	ground_service->workers = GROUND_WORKERS;
	service_publish(&a, ground_service);
	return &a;
}

/* A descriptor that is not this program's own. */
static int
ground_number(unsigned index)
{
	return (
	    int)(GROUND_FIRST + index % (GROUND_DESCRIPTORS - GROUND_FIRST));
}

/* Where the patch is made; NULL if nowhere. */
static char *
target(const struct arena *a, unsigned place, unsigned index, size_t offset,
    size_t *room)
{
	char *base;
	size_t size;

	switch (place % PLACES) {
	case AT_HEADER:
		base = (char *)a->header;
		size = sizeof(*a->header);
		break;
	case AT_SLOT:
		base = (char *)&a->slot[index % GROUND_SLOTS];
		size = sizeof(a->slot[0]);
		break;
	case AT_RECORD:
		base = (char *)&a->connection[ground_number(index)];
		size = sizeof(a->connection[0]);
		break;
	case AT_INBOX:
		base = (char *)arena_handoff(a, index % GROUND_SLOTS);
		size = a->handoff_words * sizeof(a->handoff[0]);
		break;
	case AT_MARK:
		base = (char *)a->mark;
		size = GROUND_DESCRIPTORS * sizeof(a->mark[0]);
		break;
	case AT_SERVICE:
		base = (char *)a->service;
		size = GROUND_DESCRIPTORS;
		break;
	case AT_SCRATCH:
		base = arena_scratch(a, index % GROUND_SLOTS);
		size = 256;
		break;
	case AT_STATE:
		base = arena_state(a, ground_number(index), index / 128, 1);
		size = 64;
		break;
	case AT_OUTPUT:
		base = arena_output(a, ground_number(index));
		size = 256;
		break;
	default:
		base = arena_window(a, ground_number(index));
		size = 256;
	}
	if (place % PLACES == AT_HEADER)
		offset += index * 256;
	offset %= size;
	*room = size - offset;
	return base + offset;
}

/* Replace the value, add to it, or fill the rest with it. */
static void
apply(char *to, size_t room, unsigned how, uint64_t value)
{
	uint64_t was = 0;
	size_t width = (how & 1) != 0 ? 8 : 4;

	if (width > room)
		width = room;
	if ((how & 2) != 0) {
		memcpy(&was, to, width);
		value = was + (uint64_t)(int64_t)(int8_t)value;
	}
	if ((how & 12) == 12)
		memset(to, (int)value, room < 256 ? room : 256);
	else
		memcpy(to, &value, width);
}

struct kept {
	int32_t master_wake, wake[GROUND_SLOTS], watch[GROUND_SLOTS];
};

static void
keep(const struct arena *a, struct kept *k)
{
	k->master_wake = a->header->master_wake_fd;
	for (unsigned i = 0; i < GROUND_SLOTS; i++) {
		k->wake[i] = a->slot[i].wake_fd;
		k->watch[i] = a->slot[i].watch_fd;
	}
}

static void
put_back(const struct arena *a, const struct kept *k)
{
	a->header->master_wake_fd = k->master_wake;
	for (unsigned i = 0; i < GROUND_SLOTS; i++) {
		a->slot[i].wake_fd = k->wake[i];
		a->slot[i].watch_fd = k->watch[i];
	}
}

void
ground_patch(const struct arena *a, struct input *in, uint8_t stop)
{
	struct kept kept;

	keep(a, &kept);
	while (in->left >= 12) {
		uint8_t place = input_byte(in), index, how;
		size_t offset, room;
		uint64_t value = 0;
		char *to;

		if (place == stop)
			break;
		index = input_byte(in);
		offset = (size_t)input_byte(in) * 4;
		how = input_byte(in);
		for (int i = 0; i < 8; i++)
			value |= (uint64_t)input_byte(in) << (8 * i);
		to = target(a, place, index, offset, &room);
		apply(to, room, how, value);
	}
	put_back(a, &kept);
}
