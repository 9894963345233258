/* SPDX-License-Identifier: ISC */
/*
 * The arena: creating and mapping it, and sums over it.
 */
#include "shared/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"

static size_t
arena_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

/* Offsets of the regions, each on a page of its own, and their end. */
struct layout {
	size_t slot, scratch, handoff, mark, service, rate, connection, state,
	    output;
	size_t window, end;
	size_t handoff_words;
	size_t guard;					      /* a page */
	size_t scratch_stride, scratch_output, scratch_state; /* of a slot */
};

static struct layout
arena_lay_out(unsigned slots, unsigned capacity)
{
	struct layout l;

	l.guard = arena_pages(1);
	l.scratch_output = arena_pages(SCRATCH_BYTES) + l.guard;
	l.scratch_state = l.scratch_output + arena_pages(OUTPUT_WINDOW) +
	    l.guard;
	l.scratch_stride = l.scratch_state + arena_pages(STATE_LIMIT) + l.guard;
	l.handoff_words = (capacity + 63) / 64;
	l.slot = arena_pages(sizeof(struct arena_header));
	l.scratch = l.slot + arena_pages(slots * sizeof(struct slot));
	l.handoff = l.scratch + slots * l.scratch_stride;
	l.mark = l.handoff +
	    arena_pages((size_t)slots * l.handoff_words * sizeof(uint64_t));
	l.service = l.mark + arena_pages(capacity * sizeof(uint32_t));
	l.rate = l.service + arena_pages(capacity);
	l.connection = l.rate + arena_pages(ARENA_RATES * sizeof(uint64_t));
	l.state = l.connection +
	    arena_pages(capacity * sizeof(struct connection));
	l.output = l.state + arena_pages((size_t)capacity * STATE_STRIDE);
	l.window = l.output + arena_pages((size_t)capacity * OUTPUT_WINDOW);
	l.end = l.window + (size_t)capacity * SPILL_WINDOW;
	return l;
}

static void
arena_point(struct arena *a, char *base, const struct layout *l)
{
	a->header = (struct arena_header *)base;
	a->slot = (struct slot *)(base + l->slot);
	a->scratch = base + l->scratch;
	a->guard = l->guard;
	a->scratch_stride = l->scratch_stride;
	a->scratch_output = l->scratch_output;
	a->scratch_state = l->scratch_state;
	a->handoff = (_Atomic uint64_t *)(base + l->handoff);
	a->handoff_words = l->handoff_words;
	a->mark = (_Atomic uint32_t *)(base + l->mark);
	a->service = (_Atomic uint8_t *)(base + l->service);
	a->rate = (_Atomic uint64_t *)(base + l->rate);
	a->connection = (struct connection *)(base + l->connection);
	a->state = base + l->state;
	a->output = base + l->output;
	a->window = base + l->window;
	a->bytes = l->end;
}

/* Map the memfd `a->fd` of layout `l`. */
static int
arena_map(struct arena *a, const struct layout *l, int protection)
{
	void *base = mmap(NULL, l->end, protection, MAP_SHARED | MAP_NORESERVE,
	    a->fd, 0);

	if (base == MAP_FAILED)
		return -1;
	arena_point(a, base, l);
	/* A core dump would read all of that address space. */
	(void)madvise(a->output, l->end - l->output, MADV_DONTDUMP);
	return 0;
}

static int
arena_make(struct arena *a, unsigned slots, unsigned capacity)
{
	const struct layout l = arena_lay_out(slots, capacity);

	if (ftruncate(a->fd, (off_t)l.end) == -1 ||
	    arena_map(a, &l, PROT_READ | PROT_WRITE) == -1)
		return -1;
	/* If another process could cut the file, reading it would fault. */
	(void)fcntl(a->fd, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return 0;
}

/* Records for `most` descriptors, if the address space may suffice for so many
 * windows. */
static unsigned
arena_choose_capacity(unsigned descriptors, unsigned long most)
{
	if (most > ARENA_DESCRIPTORS_MAX)
		most = ARENA_DESCRIPTORS_MAX;
	if (sizeof(size_t) < 8 || most < descriptors)
		return descriptors;
	return (unsigned)most;
}

int
arena_create(struct arena *a, unsigned slots, unsigned descriptors,
    unsigned long most)
{
	unsigned capacity = arena_choose_capacity(descriptors, most);

	memset(a, 0, sizeof(*a));
	if (capacity > ARENA_DESCRIPTORS_MAX) {
		errno = ENOMEM;
		return -1;
	}
	a->fd = memfd_create("echod-arena", MFD_ALLOW_SEALING);
	if (a->fd == -1)
		return -1;
	if (arena_make(a, slots, capacity) == -1 &&
	    arena_make(a, slots, capacity = descriptors) == -1) {
		int saved = errno;

		close(a->fd);
		errno = saved;
		return -1;
	}
	a->header->magic = ARENA_MAGIC;
	a->header->version = ARENA_VERSION;
	a->header->slots = a->slots = slots;
	a->header->capacity = a->capacity = capacity;
	a->header->descriptors = descriptors;
	/* Except early at boot, so few bytes are always there, getrandom(2);
	 * else the randomness of the address space must do. */
	if (getrandom(&a->header->secret, sizeof(a->header->secret),
		GRND_NONBLOCK) == -1)
		a->header->secret = (uintptr_t)a->header ^ clock_ms();
	return 0;
}

size_t
arena_size(unsigned slots, unsigned descriptors)
{
	return arena_lay_out(slots, descriptors).end;
}

/* The reason why this header cannot be right; NULL if it can be. */
static const char *
arena_nonsense(const struct arena_header *h, off_t size)
{
	struct layout l;

	if (h->magic != ARENA_MAGIC)
		return "not an arena";
	if (h->version != ARENA_VERSION)
		return "another layout version";
	if (h->slots == 0 || h->slots > ARENA_SLOTS_MAX || h->capacity == 0 ||
	    h->capacity > ARENA_DESCRIPTORS_MAX)
		return "impossible sizes";
	l = arena_lay_out(h->slots, h->capacity);
	if (size != (off_t)l.end)
		return "its size does not fit its header";
	if (h->descriptors > h->capacity ||
	    atomic_load(&h->descriptor_end) > h->capacity ||
	    atomic_load(&h->workers) > h->slots ||
	    h->listeners > ARENA_LISTENERS_MAX ||
	    h->dropped > ARENA_LISTENERS_MAX)
		return "counts beyond its sizes";
	for (unsigned i = 0; i < h->listeners + h->dropped; i++)
		if (memchr(h->listener[i].name, '\0',
			sizeof(h->listener[i].name)) == NULL)
			return "a listener without a name";
	return NULL;
}

static int
arena_open(struct arena *a, int fd, int protection, char *why, size_t size)
{
	struct arena_header h;
	const char *problem;
	struct layout l;
	struct stat st;
	ssize_t n;

	memset(a, 0, sizeof(*a));
	a->fd = fd;
	n = pread(fd, &h, sizeof(h), 0);
	if (n == -1 || fstat(fd, &st) == -1) {
		snprintf(why, size, "arena: %s", strerror(errno));
		return -1;
	}
	problem = n < (ssize_t)sizeof(h) ? "too short"
					 : arena_nonsense(&h, st.st_size);
	if (problem != NULL) {
		snprintf(why, size, "arena: %s", problem);
		return -1;
	}
	l = arena_lay_out(h.slots, h.capacity);
	a->slots = h.slots;
	a->capacity = h.capacity;
	if (arena_map(a, &l, protection) == -1) {
		snprintf(why, size, "arena: %s%s", strerror(errno),
		    limits_why_no_room(errno, l.end));
		return -1;
	}
	return 0;
}

int
arena_attach(struct arena *a, int fd, char *why, size_t size)
{
	return arena_open(a, fd, PROT_READ | PROT_WRITE, why, size);
}

int
arena_look(struct arena *a, int fd, char *why, size_t size)
{
	int r = arena_open(a, fd, PROT_READ, why, size);

	a->fd = -1;
	return r;
}

void
arena_destroy(struct arena *a)
{
	munmap(a->header, a->bytes);
	close(a->fd);
}

void
arena_guard_scratch(const struct arena *a, unsigned slot)
{
	char *scratch = arena_scratch(a, slot);

	(void)mprotect(scratch + a->scratch_output - a->guard, a->guard,
	    PROT_NONE);
	(void)mprotect(scratch + a->scratch_state - a->guard, a->guard,
	    PROT_NONE);
	(void)mprotect(scratch + a->scratch_stride - a->guard, a->guard,
	    PROT_NONE);
}

/* MADV_REMOVE always works for a memfd; if not, the pages stay until they are
 * used again. */
void
arena_release_window(const struct arena *a, int fd)
{
	(void)madvise(arena_window(a, fd), SPILL_WINDOW, MADV_REMOVE);
}

void
arena_release_output(const struct arena *a, int fd)
{
	(void)madvise(arena_output(a, fd), OUTPUT_WINDOW, MADV_REMOVE);
}

void
arena_release_state(const struct arena *a, int fd)
{
	(void)madvise(arena_state(a, fd, 0, 0), STATE_STRIDE, MADV_REMOVE);
}

int
arena_next(const struct arena *a, unsigned slot, int fd)
{
	int end = (int)arena_end(a);

	for (; fd < end; fd++) {
		if (connection_owner(&a->connection[fd]) ==
		    owner_word(CONN_OPEN, slot))
			return fd;
	}
	return -1;
}

/* Copy text that another process may have written: `size` bytes, terminated. */
static void
arena_copy_text(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	to[size - 1] = '\0';
	for (char *p = to; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

struct listener
arena_listener(const struct arena *a, unsigned i)
{
	const struct listener *l = &a->header->listener[i];
	struct listener copy = { .fd = l->fd, .flags = l->flags };

	arena_copy_text(copy.name, l->name, sizeof(copy.name));
	for (char *p = copy.name; *p != '\0'; p++)
		if (strchr("\"\\<>&", *p) != NULL)
			*p = '?';
	return copy;
}

uint64_t
arena_held(const struct arena *a)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < arena_workers(a); i++)
		n += slot_load(&a->slot[i]);
	return n;
}

uint64_t
arena_closed(const struct arena *a, enum close_reason r)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < a->slots; i++)
		n += slot_sum(&a->slot[i], closed[r]);
	return n;
}

void
arena_stop(const struct arena *a, uint64_t deadline)
{
	uint64_t now = arena_stop_deadline(a);

	while ((now == 0 || deadline < now) &&
	    !atomic_compare_exchange_weak(&a->header->stop_deadline, &now,
		deadline))
		;
}
