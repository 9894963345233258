/* SPDX-License-Identifier: ISC */
/*
 * A slot: a worker's whole job.  A worker process is only the hand that does
 * it; when it is gone, the next one takes the slot and goes on.
 */
#ifndef ECHOD_SHARED_SLOT_H
#define ECHOD_SHARED_SLOT_H

#include <stdatomic.h>
#include <stdint.h>

#include "shared/connection.h"
#include "shared/counters.h"

/* Bytes of a slot's scratch buffer: one recv(2) reads as many at most. */
#define SCRATCH_BYTES SPILL_LINE

#define FAULT_HUNG -1

/*
 * What a worker is doing right now.  It is named before it starts and cleared
 * after it ended, so that after a death at most one connection of the slot is
 * in doubt: the one named here.
 */
enum operation_kind {
	OP_NONE,
	OP_SERVE,  /* receive, handle, send */
	OP_ACCEPT, /* a socket may be open and in no record yet */
	OP_HANDOFF /* a record may say GIVEN and no inbox may know */
};

struct operation {
	_Atomic uint32_t kind;
	int32_t fd; /* OP_SERVE */
	/* OP_SERVE on scratch: position of its first byte.  The connection's
	 * pending bytes are there as long as CONN_SPILLED is not set. */
	uint64_t base;
};

enum slot_state {
	SLOT_EMPTY,	 /* no worker, or one that has not begun */
	SLOT_READY,	 /* serving */
	SLOT_LEAVING,	 /* its worker goes, the slot with it */
	SLOT_UNATTENDED, /* no worker for a while; see foster */
	SLOT_ADOPTED,	 /* a sibling takes it over: slot_adopted_by() */
	SLOT_DRAINED	 /* stopped, every connection closed */
};

/* The state of a slot that the worker of slot `k` is taking over.  Taking over
 * is for one at a time: it is claimed by a compare-and-swap from ORPHANED. */
static inline uint32_t
slot_adopted_by(unsigned k)
{
	return SLOT_ADOPTED | (uint32_t)(k + 1) << 8;
}

/* Counters are written by the slot's worker only and read by anyone. */
struct slot_counters {
	SLOT_COUNTERS(COUNTER_ATOMIC)
	_Atomic uint64_t closed[CLOSE_REASONS];
	_Atomic uint64_t rx_closed, tx_closed; /* bytes, closed connections */
	_Atomic uint64_t bytes_cut;	       /* pending or unread at a cut */
};

struct slot {
	struct operation op;
	_Atomic uint64_t heartbeat; /* odd: working; even: asleep */
	_Atomic uint32_t held;	    /* connections owned */
	_Atomic uint32_t active;    /* of them, those with something to do */
	_Atomic uint32_t inflight;  /* on their way to it; a hint */
	/* Of its connections' windows, those that may have pages; written by
	 * its worker.  A death may leave it wrong: recovery counts anew. */
	_Atomic uint32_t blocks;
	_Atomic uint32_t state; /* enum slot_state, slot_adopted_by() */
	/* Written by the master for the next worker: the signal that killed
	 * the last one while it served a client, or FAULT_HUNG; 0 if it did
	 * not die by that client's fault. */
	_Atomic int32_t fault;
	_Atomic uint64_t died; /* clock_ms(), for the post-mortem */
	/* Written by the master: slot number + 1 of one whose connections this
	 * worker shall take over; 0: none. */
	_Atomic uint32_t adopt;
	_Atomic int32_t pid; /* written by the master; 0: none */
	/* Written by the master: 1 if the worker shall leave between two
	 * operations.  The signal that comes with it only wakes it up:
	 * epoll_pwait(2) delivers none while there are always events. */
	_Atomic uint32_t leave;
	/* Written by other workers: the inbox has something new.  A worker
	 * that is awake looks here before it sleeps and needs no eventfd. */
	_Atomic uint32_t wakeup_pending;
	/* Written by the master: 1 if workers of this slot die for want of
	 * memory, so that the next one makes room before it serves. */
	_Atomic uint32_t shed;
	/* Written by a worker that dies of it: the system call that it was not
	 * to make, architecture (AUDIT_ARCH_...) << 32 | number; 0: none. */
	_Atomic uint64_t denied;
	/* Made by the master before any worker, never closed. */
	int32_t wake_fd;  /* eventfd: ends the worker's sleep */
	int32_t watch_fd; /* epoll: all it waits for */
	struct slot_counters count;
} __attribute__((aligned(128)));

/* Add to a counter that only the caller writes: no locked instruction. */
static inline void
counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* Connections a slot has or will have in a moment. */
static inline uint32_t
slot_load(const struct slot *s)
{
	return atomic_load_explicit(&s->held, memory_order_acquire) +
	    atomic_load_explicit(&s->inflight, memory_order_acquire);
}

/*
 * Order of stores as a successor will find them.  The reader of an interrupted
 * operation is another process that runs after this one has died, and the
 * kernel's exit and wait are full barriers between the two; what is left to
 * prevent is the compiler's reordering.
 */
static inline void
store_barrier(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

#endif
