/* SPDX-License-Identifier: ISC */
/*
 * A slot: the whole job of a worker.  If the worker process dies, the next one
 * takes the slot and continues.
 */
#ifndef ECHOD_SHARED_SLOT_H
#define ECHOD_SHARED_SLOT_H

#include <stdatomic.h>
#include <stdint.h>

#include "shared/connection.h"
#include "shared/counters.h"
#include "shared/handler_table.h"

/* Bytes of a slot's scratch buffer for input: one recv(2) reads at most so
 * many. */
#define SCRATCH_BYTES SPILL_LINE

#define FAULT_HUNG -1

/*
 * The operation in progress.  A worker stores it before the operation starts
 * and clears it after the operation has ended.  So after a death at most one
 * connection of the slot is in doubt: the one named here.
 *
 *	             +--> OP_SERVE ----+
 *	 OP_NONE ----+--> OP_ACCEPT ---+----> OP_NONE
 *	             +--> OP_HANDOFF --+
 *
 * A death leaves the operation as it is.  Recovery settles it; then it stores
 * OP_NONE.
 */
enum operation_kind {
	OP_NONE,
	OP_SERVE,  /* receive, call the handler, send */
	OP_ACCEPT, /* a socket may be open and in no record yet */
	OP_HANDOFF /* a record may be OFFERED without its bit */
};

struct operation {
	_Atomic uint32_t kind;
	int32_t fd; /* OP_SERVE */
	/* OP_SERVE: position of the first byte in scratch.  The kept input is
	 * in scratch as long as CONN_SPILLED is not set, and the unsent output
	 * as long as CONN_OUTPUT is not set. */
	uint64_t base;
	/* OP_SERVE: before it, the bytes that were sent to this client, and the
	 * counters of its service.  `base` is what was received from it. */
	uint64_t sent, rx, tx;
};

/* For worker/connection/counting.h. */
struct counting {
	_Atomic uint32_t fd; /* of the record, + 1; 0: none is counted */
	uint32_t state;	     /* in which nothing is counted yet */
	uint32_t service, reason;
	uint64_t accepted, closed, rx_closed, tx_closed; /* before it */
};

/*
 *	           recovered               one worker fewer
 *	  EMPTY -----------------> READY ------------------> LEAVING
 *	  ^ ^ |                    |   |                        |
 *	  | | | <-- died, left ----+   | stop: all closed       | left
 *	  | | |                        v                        |
 *	  | | |                     DRAINED                     |
 *	  | | |                                                 v
 *	  | | +---- no worker soon: backoff, no process --> UNATTENDED
 *	  | |                                                |  |  ^
 *	  | +------ its own next worker is due after all ----+  |  | worker k
 *	  |                                                swap |  | died
 *	  |                                                     v  |
 *	  +-------- worker k has its connections ---------- ADOPTED | k
 */
enum slot_state {
	SLOT_EMPTY,	 /* no worker, or a worker that has not begun */
	SLOT_READY,	 /* serving */
	SLOT_LEAVING,	 /* its worker leaves, and the slot is given up */
	SLOT_UNATTENDED, /* no worker for a while; see `adopt` */
	SLOT_ADOPTED,	 /* a sibling takes it over: slot_adopted_by() */
	SLOT_DRAINED	 /* stopped, all connections are closed */
};

/* The state of a slot that the worker of slot `k` adopts.  One worker at a time
 * can adopt a slot: it swaps the state from SLOT_UNATTENDED to this. */
static inline uint32_t
slot_adopted_by(unsigned k)
{
	return SLOT_ADOPTED | (uint32_t)(k + 1) << 8;
}

/* Only the slot's worker writes the counters; every process reads them. */
struct slot_counters {
	SLOT_COUNTERS(COUNTER_ATOMIC)
	_Atomic uint64_t closed[CLOSE_REASONS];
	_Atomic uint64_t rx_closed, tx_closed; /* bytes, closed connections */
	_Atomic uint64_t bytes_cut;	       /* lost at the stop's deadline */
};

struct slot {
	struct operation op;
	struct counting counting;
	_Atomic uint64_t heartbeat; /* odd: working; even: asleep */
	_Atomic uint32_t held;	    /* connections owned */
	_Atomic uint32_t active;    /* of them, those in the active set */
	_Atomic uint32_t inflight;  /* reserved for offers to it; a hint */
	/* Blocks of its connections' windows that may have pages; written by
	 * its worker.  A death may leave it wrong, as `held`, until recovery
	 * has looked at all records. */
	_Atomic uint32_t blocks;
	_Atomic uint32_t state; /* enum slot_state, slot_adopted_by() */
	/* Written by the master for the next worker: the signal that killed
	 * the last one while it served a client, or FAULT_HUNG; 0 if that
	 * client did not cause the death. */
	_Atomic int32_t fault;
	_Atomic uint64_t died; /* clock_ms() of the last death, or 0 */
	/* Written by the master: number + 1 of a slot that this worker adopts;
	 * 0: none. */
	_Atomic uint32_t adopt;
	_Atomic int32_t pid; /* written by the master; 0: none */
	/* Written by the master: 1 tells the worker to leave between two
	 * operations.  The signal that comes with it only wakes the worker:
	 * epoll_pwait(2) delivers no signal while there are always events. */
	_Atomic uint32_t leave;
	/* Written by other workers: the handoff bitmap has a new bit.  A
	 * worker that is awake reads this before it sleeps, and needs no
	 * eventfd. */
	_Atomic uint32_t wakeup_pending;
	/* Written by the master: 1 if the kernel kills workers of this slot for
	 * lack of memory: the next one makes room before it serves. */
	_Atomic uint32_t shed;
	/* 1: a death may have left a socket in no record, and the search for
	 * it is not through. */
	_Atomic uint32_t lost;
	/* Written by a worker that the sandbox kills: the system call,
	 * architecture (AUDIT_ARCH_...) << 32 | number; 0: none. */
	_Atomic uint64_t denied;
	/* Made by the master before it starts a worker; never closed. */
	int32_t wake_fd;  /* eventfd: ends the worker's sleep */
	int32_t watch_fd; /* epoll: everything the worker waits for */
	/* Of each service; the last ones are of those that are gone. */
	struct slot_counters count[SERVICE_NUMBERS + 1];
} __attribute__((aligned(128)));

/* Add to a counter that only the caller writes: needs no locked instruction. */
static inline void
counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* The sum of one counter of a slot over the services: slot_sum(s, rx). */
#define slot_sum(s, member) \
	slot_sum_at(s, offsetof(struct slot_counters, member))

static inline uint64_t
slot_sum_at(const struct slot *s, size_t offset)
{
	uint64_t n = 0;

	for (unsigned i = 0; i <= SERVICE_NUMBERS; i++)
		n += atomic_load_explicit(
		    (const _Atomic uint64_t *)((const char *)&s->count[i] +
			offset),
		    memory_order_relaxed);
	return n;
}

/* Connections that a slot has.  A death may leave `held` too low, so that it is
 * below 0 until recovery has looked at all records. */
static inline uint32_t
slot_held(const struct slot *s)
{
	int32_t held = (int32_t)atomic_load_explicit(&s->held,
	    memory_order_acquire);

	return held > 0 ? (uint32_t)held : 0;
}

/* Connections that a slot has, or will have in a moment. */
static inline uint32_t
slot_load(const struct slot *s)
{
	return slot_held(s) +
	    atomic_load_explicit(&s->inflight, memory_order_acquire);
}

/*
 * Order the stores as a successor must find them.  The successor reads after
 * this process has died, and exit and wait in the kernel are full barriers
 * between the two.  So only the compiler must not reorder.
 */
static inline void
store_barrier(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

#endif
