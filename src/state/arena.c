/*
 * The arena: making and mapping it, and sums over it.
 */
#include "state/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

static size_t
pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

/* Where the regions begin, each on a page of its own, and where they end. */
struct layout {
	size_t slot, scratch, inbox, connection, window, end;
	size_t inbox_words;
};

static struct layout
lay_out(unsigned slots, unsigned descriptors)
{
	struct layout l;

	l.inbox_words = (descriptors + 63) / 64;
	l.slot = pages(sizeof(struct arena_header));
	l.scratch = l.slot + pages(slots * sizeof(struct slot));
	l.inbox = l.scratch + pages((size_t)slots * SCRATCH_BYTES);
	l.connection = l.inbox + pages((size_t)slots * l.inbox_words *
	    sizeof(uint64_t));
	l.window = l.connection + pages(descriptors *
	    sizeof(struct connection));
	l.end = l.window + (size_t)descriptors * SPILL_WINDOW;
	return l;
}

static void
point(struct arena *a, char *base, const struct layout *l)
{
	a->header = (struct arena_header *)base;
	a->slot = (struct slot *)(base + l->slot);
	a->scratch = base + l->scratch;
	a->inbox = (_Atomic uint64_t *)(base + l->inbox);
	a->inbox_words = l->inbox_words;
	a->connection = (struct connection *)(base + l->connection);
	a->window = base + l->window;
	a->bytes = l->end;
}

int
arena_create(struct arena *a, unsigned slots, unsigned descriptors)
{
	const struct layout l = lay_out(slots, descriptors);
	void *base;
	int saved;

	memset(a, 0, sizeof(*a));
	a->fd = memfd_create("echod-arena", 0);
	if (a->fd == -1)
		return -1;
	if (ftruncate(a->fd, (off_t)l.end) == -1)
		goto fail;
	base = mmap(NULL, l.end, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_NORESERVE, a->fd, 0);
	if (base == MAP_FAILED)
		goto fail;
	point(a, base, &l);
	a->header->magic = ARENA_MAGIC;
	a->header->version = ARENA_VERSION;
	a->header->slots = slots;
	a->header->descriptors = descriptors;
	a->header->connection_bytes = sizeof(struct connection);
	a->header->started = clock_ms();
	return 0;
fail:
	saved = errno;
	close(a->fd);
	errno = saved;
	return -1;
}

void
arena_destroy(struct arena *a)
{
	munmap(a->header, a->bytes);
	close(a->fd);
}

void
arena_release_window(const struct arena *a, int fd)
{
	/* Where the kernel will not (it always does for a memfd), the pages
	 * merely stay until they are used again. */
	(void)madvise(arena_window(a, fd), SPILL_WINDOW, MADV_REMOVE);
}

int
arena_next(const struct arena *a, unsigned slot, int fd)
{
	int end = (int)atomic_load(&a->header->descriptor_end);

	for (; fd < end; fd++) {
		if (connection_held_by(&a->connection[fd]) ==
		    connection_holder(CONN_OPEN, slot))
			return fd;
	}
	return -1;
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

	for (unsigned i = 0; i < a->header->slots; i++)
		n += atomic_load_explicit(&a->slot[i].count.closed[r],
		    memory_order_relaxed);
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
