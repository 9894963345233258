/* SPDX-License-Identifier: ISC */
/*
 * The arena: one memfd that master and workers map shared.  It holds all facts
 * about all connections.  There is no allocator: the descriptor is the index.
 * A page exists only after its first use.
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
/* The version of the layout and of the meaning of its fields.  A program with
 * another version cannot take the arena over. */
#ifndef ARENA_VERSION
#define ARENA_VERSION 8
#endif
#define ARENA_LISTENERS_MAX 64 /* of all services */
/* Entries for the rates of addresses (worker/connection/rate.c). */
#define ARENA_RATES 8192
/* The service state has a place for each slot. */
#define ARENA_SLOTS_MAX 256
/* The default limit of descriptors of a process (fs.nr_open).  Each has a
 * window of address space, and 32 bits have little of that. */
#define ARENA_DESCRIPTORS_MAX (sizeof(size_t) < 8 ? 1U << 13 : 1U << 20)
/* The address space of a connection's two states. */
#define STATE_STRIDE (3 * STATE_LIMIT)

#define LISTENER_NAME ADDRESS_PORT_SIZE

/* A listener's flags. */
#define LISTENER_PASSED 1U /* systemd has it, too: it is never shut */
#define LISTENER_DUAL 2U   /* [::] that accepts IPv4 clients, too */
#define LISTENER_ABSENT 4U /* the machine does not have its address yet */

struct listener {
	int32_t fd;
	uint32_t flags;
	uint8_t service;	  /* its number, below SERVICE_NUMBERS */
	char name[LISTENER_NAME]; /* "0.0.0.0:6379" */
};

struct arena_header {
	uint64_t magic;
	uint32_t version;
	uint32_t slots;	   /* number of slots, used or not */
	uint32_t capacity; /* number of connection records */
	/* The number of those whose descriptors the process may have: its soft
	 * limit.  A reload may raise it. */
	uint32_t descriptors;
	int32_t master_wake_fd; /* eventfd: ends the master's sleep */
	/* 0: the master sleeps without looking at the heartbeats.  A worker
	 * that wakes up wakes the master, too. */
	_Atomic uint32_t watching;
	_Atomic uint32_t workers;    /* slots in use: 0 to workers - 1 */
	_Atomic uint32_t generation; /* service state */
	/* Listeners that accept clients, then those that a reload drops. */
	uint32_t listeners, dropped;
	struct listener listener[2 * ARENA_LISTENERS_MAX];
	_Atomic uint32_t drop; /* enum drop */
	/* 1: another process may have copies of the descriptors (the check of
	 * a reload). */
	_Atomic uint32_t copied;

	/* Number of a reload << 2 | enum handover. */
	_Atomic uint64_t handover;

	/*
	 * The deadline of the stop, clock_ms(); 0 if there is no stop.  It may
	 * move to an earlier time, never to a later one.
	 */
	_Atomic uint64_t stop_deadline;
	/* One more than the highest descriptor that a connection ever had: a
	 * search through the records ends here. */
	_Atomic uint32_t descriptor_end;
	/* Number + 1 of the slot that counts a new connection (accept.c).  It
	 * has a time limit, so no death can block the others. */
	_Atomic uint32_t admission;
	/* The time at which the next client of each service is due, in us of
	 * CLOCK_MONOTONIC (rate.c). */
	_Atomic uint64_t accept_due[SERVICE_NUMBERS];
	/* Random: mixed into the marks of clients' addresses. */
	uint64_t secret;

	_Atomic uint32_t loglevel; /* enum log_level, of workers */
	/* 1: the kernel has no filter for system calls; the log says so. */
	_Atomic uint32_t unfiltered;
};

/*
 * Who goes on with the service at a reload: the standby of the program before,
 * with the former program, if the next one dies; or the next program, or its
 * standby.  One of them wins.  There are no workers that could write here.
 *
 *	                   the next program has a standby,
 *	                   and no need of the one before
 *	HANDOVER_UNDECIDED -------------------------------> HANDOVER_NEW
 *	        |
 *	        |  the next program is dead: the standby of the one before
 *	        +-------------------------------------------> HANDOVER_OLD
 */
enum handover {
	HANDOVER_UNDECIDED,
	HANDOVER_OLD,
	HANDOVER_NEW
};

/*
 * How the listeners end that a reload drops: the master asks, a worker accepts
 * the clients in their queues, the master closes the listeners.
 *
 *	       master                worker          worker: all accepted
 *	NONE ---------> ASKED -----------+--> TAKEN --+--> NONE
 *	     ---------> ASKED_LAST ------+            +--> EMPTIED
 *
 * NONE follows ASKED, EMPTIED follows ASKED_LAST.  If the worker could not
 * accept all clients, TAKEN becomes again what it was before.
 */
enum drop {
	DROP_NONE,
	DROP_ASKED,	 /* accept the clients that wait */
	DROP_ASKED_LAST, /* the same; after that they are closed */
	DROP_TAKEN,	 /* a worker does it */
	DROP_EMPTIED
};

/*
 * An intruder in a worker can write anything into the arena.  A reader must
 * stay in bounds all the same: `slots` and `capacity` are its own copies, the
 * functions below return every other bound of an index, and a bound of a length
 * is read once, checked and used (connection_sane()).
 */
struct arena {
	struct arena_header *header;
	unsigned slots, capacity; /* as mapped; the header's may change */
	struct slot *slot;	  /* [slots] */
	char *scratch;		  /* [slots][scratch_stride] */
	size_t guard, scratch_stride, scratch_output, scratch_state;
	_Atomic uint64_t *handoff; /* [slots][handoff_words]: a bit for each
					  descriptor offered to the slot */
	size_t handoff_words;
	_Atomic uint32_t *mark;	       /* [capacity]: of the address that the
					  client counts for; 0: none */
	_Atomic uint8_t *service;      /* [capacity]: number + 1 of the service
					  that it counts for; 0: none */
	_Atomic uint64_t *rate;	       /* [ARENA_RATES] */
	struct connection *connection; /* [capacity] */
	char *state;		       /* [capacity][STATE_STRIDE] */
	char *output;		       /* [capacity][OUTPUT_WINDOW] */
	char *window;		       /* [capacity][SPILL_WINDOW] */
	int fd;
	size_t bytes;
};

/*
 * Make an arena for `slots` slots and descriptors 0 to `descriptors` - 1.  If
 * the address space suffices, it has room for `most` descriptors later: unused
 * pages cost nothing.  Its descriptor is not close-on-exec: a reload keeps it.
 * Returns 0, or -1 with errno set.
 */
int arena_create(struct arena *a, unsigned slots, unsigned descriptors,
    unsigned long most);

/* The least address space, and size of a file, that such an arena needs. */
size_t arena_size(unsigned slots, unsigned descriptors);

/*
 * Map the arena that another program made and left in descriptor `fd`.
 * Returns 0, or -1 with a reason in `why`; the descriptor stays open.
 */
int arena_attach(struct arena *a, int fd, char *why, size_t size);

/* The same, but only for reading; `fd` is not needed afterwards. */
int arena_look(struct arena *a, int fd, char *why, size_t size);

/* Unmap and close. */
void arena_destroy(struct arena *a);

/*
 * The scratch buffers of a slot: for input, for output, and for a state of
 * `size` bytes, which ends where they end, up to the next 64 bytes.  A page
 * that arena_guard_scratch() guards follows each of them.
 */
static inline char *
arena_scratch(const struct arena *a, unsigned slot)
{
	return a->scratch + slot * a->scratch_stride;
}

static inline char *
arena_scratch_output(const struct arena *a, unsigned slot)
{
	return arena_scratch(a, slot) + a->scratch_output;
}

static inline char *
arena_scratch_state(const struct arena *a, unsigned slot, size_t size)
{
	return arena_scratch(a, slot) + a->scratch_stride - a->guard -
	    (size + 63) / 64 * 64;
}

/* Let this process crash if it writes beyond a scratch buffer of a slot. */
void arena_guard_scratch(const struct arena *a, unsigned slot);

static inline _Atomic uint64_t *
arena_handoff(const struct arena *a, unsigned slot)
{
	return a->handoff + (size_t)slot * a->handoff_words;
}

/* The end of a search through the records: descriptor_end, in bounds. */
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

/* Words of a handoff bitmap that can have a bit set. */
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

/* Listeners that accept clients; those that a reload drops come after them. */
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

/* A copy of listener `i` of arena_open_listeners().  Its name is terminated and
 * has only printable characters that need no quoting anywhere. */
struct listener arena_listener(const struct arena *a, unsigned i);

static inline char *
arena_window(const struct arena *a, int fd)
{
	return a->window + (size_t)fd * SPILL_WINDOW;
}

static inline char *
arena_output(const struct arena *a, int fd)
{
	return a->output + (size_t)fd * OUTPUT_WINDOW;
}

/*
 * The state of a connection that belongs to half `half`.  Small states share a
 * page.  No state of a size lies where the other half's of another size lies: a
 * handler of another version may have states of another size.
 */
static inline char *
arena_state(const struct arena *a, int fd, unsigned half, size_t size)
{
	return a->state + (size_t)fd * STATE_STRIDE +
	    (size <= STATE_LIMIT / 2 ? half * (STATE_LIMIT / 2)
				     : (1 + half) * (size_t)STATE_LIMIT);
}

/* Release the pages of a window to the system, in which nothing is pending; or
 * of the states. */
void arena_release_window(const struct arena *a, int fd);
void arena_release_output(const struct arena *a, int fd);
void arena_release_state(const struct arena *a, int fd);

/* The first connection of `slot` with a descriptor of at least `fd`; -1 if
 * there is none. */
int arena_next(const struct arena *a, unsigned slot, int fd);

/* Connections that all slots together hold or have a place reserved for,
 * according to the slots. */
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
