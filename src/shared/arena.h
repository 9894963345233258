/* SPDX-License-Identifier: ISC */
/*
 * The arena: one memfd, mapped shared by master and workers, that holds every
 * fact about every connection.  There is no allocator; the descriptor is the
 * index.  Pages exist only once touched.
 */
#ifndef ECHOD_SHARED_ARENA_H
#define ECHOD_SHARED_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"
#include "shared/connection.h"
#include "shared/slot.h"

#define ARENA_MAGIC UINT64_C(0x646f686365) /* "echod" */
/* Of the layout and of what its fields mean; a program that has another one
 * cannot take the arena over. */
#ifndef ARENA_VERSION
#define ARENA_VERSION 6
#endif
#define ARENA_LISTENERS_MAX 16
/* Entries for the rates of addresses (worker/connection/rate.c). */
#define ARENA_RATES 8192
/* The master has a place for each slot in memory of its own. */
#define ARENA_SLOTS_MAX 256
/* No system lets a process have more descriptors by default (fs.nr_open).
 * Each has a window of address space, of which 32 bits have little. */
#define ARENA_DESCRIPTORS_MAX (sizeof(size_t) < 8 ? 1U << 14 : 1U << 20)

#define LISTENER_NAME ADDRESS_PORT_SIZE

/* A listener's flags. */
#define LISTENER_PASSED 1U /* whoever started us has it, too: not shut */
#define LISTENER_DUAL 2U   /* [::] that takes IPv4 clients as well */
#define LISTENER_ABSENT 4U /* the machine has not its address, so far */

struct listener {
	int32_t fd;
	uint32_t flags;
	char name[LISTENER_NAME]; /* "0.0.0.0:6379" */
};

/* What was counted at one time, for charts; rates are the differences. */
struct sample {
	uint64_t at; /* clock_ms(); 0: none yet */
	uint64_t connections;
	SLOT_COUNTERS(COUNTER_MEMBER)
};

#define ARENA_SAMPLES 120
#define ARENA_SIGNALS 65 /* signal numbers, 0 stands for an exit */

/* What became of the service as a whole.  The master's alone, which is one at
 * a time; here, so that a reload keeps it. */
struct service_totals {
	uint64_t deaths[ARENA_SIGNALS]; /* of workers, by signal */
	SERVICE_COUNTERS(COUNTER_MEMBER)
	uint64_t reloaded;	  /* clock_ms() of the last one, or 0 */
	uint64_t pause;		  /* ms that nobody was served at it */
	char refusal[256];	  /* why the last one was refused, or "" */
	_Atomic uint64_t samples; /* ever taken; the next one's place */
	struct sample sample[ARENA_SAMPLES];
};

struct arena_header {
	uint64_t magic;
	uint32_t version;
	uint32_t slots;	   /* slots there are, used or not */
	uint32_t capacity; /* connection records there are */
	/* Of them, those whose descriptors the process may have: its soft
	 * limit.  A reload may raise it. */
	uint32_t descriptors;
	uint64_t started;	/* clock_ms() */
	int32_t master_wake_fd; /* eventfd: ends the master's sleep */
	/* 0: the master sleeps without looking at the heartbeats; a worker
	 * that wakes up wakes it too. */
	_Atomic uint32_t watching;
	_Atomic uint32_t workers; /* slots in use: 0 to workers - 1 */
	/* Those that clients are taken from, then those a reload drops. */
	uint32_t listeners, dropped;
	struct listener listener[2 * ARENA_LISTENERS_MAX];
	_Atomic uint32_t drop; /* enum drop: how far that is */
	/* 1: a process that has a copy of the descriptors may be about (the
	 * check of a reload). */
	_Atomic uint32_t copied;

	/*
	 * The stop.  `stop_deadline` is clock_ms() or 0 while there is none;
	 * it may move to an earlier time, never to a later one.
	 */
	_Atomic uint64_t stop_deadline;
	/* One more than the highest descriptor a connection ever had: how far
	 * a search through the records must go. */
	_Atomic uint32_t descriptor_end;
	/* Slot number + 1 of who is counting a new connection (accept.c); a
	 * courtesy with a time limit, not a lock that can strand anybody. */
	_Atomic uint32_t admission;
	/* When the next client would be due at accept-rate, in us of
	 * CLOCK_MONOTONIC (rate.c). */
	_Atomic uint64_t accept_due;
	/* Random: stirred into what stands for a client's address. */
	uint64_t secret;

	_Atomic uint32_t loglevel; /* enum log_level, of every process */
	/* 1: health checks are to fail; the service goes on. */
	_Atomic uint32_t draining;
	/* 1: the kernel has no filter for system calls, and the log says so. */
	_Atomic uint32_t unfiltered;
	struct service_totals totals;
};

/* How listeners that a reload dropped go: the master asks, a worker takes what
 * waits in their queues, the master closes them. */
enum drop {
	DROP_NONE,
	DROP_ASKED,	 /* take who waits */
	DROP_ASKED_LAST, /* the same, and then they may be closed */
	DROP_TAKEN,	 /* a worker is at it */
	DROP_EMPTIED
};

struct service_state;

/*
 * Whoever serves may be broken into, and can write anything into the arena
 * then.  Who reads it must not leave its bounds for that: `slots` and
 * `capacity` are the reader's own copies, what else bounds an index is asked
 * of the functions below, and what bounds a length is read once, checked and
 * used (connection_sane()).
 */
struct arena {
	struct arena_header *header;
	struct service_state *service; /* the master's: not in the arena */
	unsigned slots, capacity;      /* as mapped; the header's may change */
	struct slot *slot;	       /* [slots] */
	char *scratch;		       /* [slots][SCRATCH_BYTES] */
	_Atomic uint64_t *handoff;     /* [slots][handoff_words]: a bit for each
					   descriptor given to the slot */
	size_t handoff_words;
	_Atomic uint32_t *mark;	       /* [capacity]: for the address that the
					   client is counted for; 0: none */
	_Atomic uint64_t *rate;	       /* [ARENA_RATES] */
	struct connection *connection; /* [capacity] */
	char *window;		       /* [capacity][SPILL_WINDOW] */
	int fd;
	size_t bytes;
};

/*
 * Make an arena for `slots` slots and descriptors 0 to `descriptors` - 1, with
 * room for as many as `most` of them later, if the address space has it: what
 * is not touched costs nothing.  Its descriptor is not close-on-exec: a reload
 * keeps it.  Returns 0, or -1 with errno set.
 */
int arena_create(struct arena *a, unsigned slots, unsigned descriptors,
    unsigned long most);

/* What that takes of address space, and as the size of a file, at least. */
size_t arena_size(unsigned slots, unsigned descriptors);

/*
 * Map the arena that another program made and left in descriptor `fd`.
 * Returns 0, or -1 with a reason in `why`; the descriptor stays open.
 */
int arena_attach(struct arena *a, int fd, char *why, size_t size);

/* What two programs must agree on to share an arena, in a few words: version
 * and sizes; static storage. */
const char *arena_layout(void);

/* Say in the arena what a->service says.  To be done after a change of it, before
 * a worker starts, and before another program takes the arena over. */
void service_publish(const struct arena *a);

/* True if a->fd is the arena's memfd still: whoever shares our descriptors can
 * close it.  False with errno set. */
bool arena_has_memfd(const struct arena *a);

/* Take down in a->service that a reload was refused, and why: printable characters
 * of it. */
void service_refuse(const struct arena *a, const char *why);

/* Unmap and close. */
void arena_destroy(struct arena *a);

static inline char *
arena_scratch(const struct arena *a, unsigned slot)
{
	return a->scratch + (size_t)slot * SCRATCH_BYTES;
}

static inline _Atomic uint64_t *
arena_handoff(const struct arena *a, unsigned slot)
{
	return a->handoff + (size_t)slot * a->handoff_words;
}

/* How far a search through the records must go: descriptor_end, or less. */
static inline unsigned
arena_end(const struct arena *a)
{
	unsigned n = atomic_load_explicit(&a->header->descriptor_end,
	    memory_order_acquire);

	return n < a->capacity ? n : a->capacity;
}

/* Records whose descriptors the process may have. */
static inline unsigned
arena_descriptors(const struct arena *a)
{
	unsigned n = __atomic_load_n(&a->header->descriptors, __ATOMIC_RELAXED);

	return n < a->capacity ? n : a->capacity;
}

/* Words of an inbox that can have a bit set. */
static inline size_t
arena_handoff_used(const struct arena *a)
{
	return (arena_end(a) + 63) / 64;
}

static inline unsigned
arena_workers(const struct arena *a)
{
	unsigned n = atomic_load_explicit(&a->header->workers,
	    memory_order_relaxed);

	return n < a->slots ? n : a->slots;
}

/* Listeners that clients are taken from; those that a reload drops stand
 * behind them. */
static inline unsigned
arena_listeners(const struct arena *a)
{
	unsigned n = __atomic_load_n(&a->header->listeners, __ATOMIC_RELAXED);

	return n < ARENA_LISTENERS_MAX ? n : ARENA_LISTENERS_MAX;
}

static inline unsigned
arena_dropped(const struct arena *a)
{
	unsigned n = __atomic_load_n(&a->header->dropped, __ATOMIC_RELAXED);

	return n < ARENA_LISTENERS_MAX ? n : ARENA_LISTENERS_MAX;
}

/* Both. */
static inline unsigned
arena_open_listeners(const struct arena *a)
{
	return arena_listeners(a) + arena_dropped(a);
}

/* A copy of listener `i` of arena_open_listeners(), whose name is a name:
 * ended, and of printable characters that need no quoting anywhere. */
struct listener arena_listener(const struct arena *a, unsigned i);

static inline char *
arena_window(const struct arena *a, int fd)
{
	return a->window + (size_t)fd * SPILL_WINDOW;
}

/* Give the pages of a window back to the system; nothing may be pending in
 * it. */
void arena_release_window(const struct arena *a, int fd);

/* The first connection that `slot` owns with a descriptor of at least `fd`; -1 if
 * there is none. */
int arena_next(const struct arena *a, unsigned slot, int fd);

/* Connections held by or on their way to all slots together, as the slots
 * have it. */
uint64_t arena_held(const struct arena *a);

/* Sum of one close reason's counter over all slots. */
uint64_t arena_closed(const struct arena *a, enum close_reason r);

/* The stop's deadline, clock_ms(); 0 while the service runs. */
static inline uint64_t
arena_stop_deadline(const struct arena *a)
{
	return atomic_load_explicit(&a->header->stop_deadline,
	    memory_order_acquire);
}

/* Begin a stop or bring its deadline nearer. */
void arena_stop(const struct arena *a, uint64_t deadline);

#endif
