/* SPDX-License-Identifier: ISC */
/*
 * A connection's record in the arena: all facts about the connection.
 *
 * The truth about a connection is its stream positions, not a buffer:
 *
 *	rx		bytes received from the socket
 *	tx		bytes sent to the socket
 *	consumed	bytes of input that the handler has taken
 *	produced	bytes of output that the handler has made
 *
 * All four count from the connection's first byte and only grow.  The kernel
 * counts the first two as well.  The last two are in a half, with everything
 * else that a step of the handler decides.  There are two halves, and two
 * states of the handler; `epoch` says which of them counts.  A step fills the
 * other half and the other state; then one store of `epoch` commits the step
 * (worker/connection/step.c).  Always
 *
 *	consumed <= rx   tx <= produced   produced - tx <= written + passed
 *
 * and nothing is received, and no step is made, unless tx == produced.
 *
 * The output of a step is `written` bytes of the handler's, and after them the
 * last `passed` bytes of the input consumed.  So the input must be kept from
 * connection_kept() on.  During an operation kept input and unsent output are
 * in the owner slot's scratch buffers, otherwise in the connection's input
 * window and output window.  CONN_SPILLED says that the input is in its window,
 * where position p is at offset p - window_base; CONN_OUTPUT says that the
 * output is in its window, where it is at the same offset as in scratch.  Bytes
 * in the input window are never moved in place: to make room, they are copied
 * to a part that does not overlap, and then window_base is stored.
 *
 * One word, `owner`, says which process may write the record.  It has a state,
 * the number of a slot and a claim counter, which change together:
 *
 *	FREE --- accept4: swap, claims + 1 ---> CLAIMED | k
 *	 ^                                        |      |
 *	 | closed: swap                   refused |      | filled in
 *	 |                                        |      v
 *	CLOSING | k <-----------------------------+    OPEN | k
 *	 ^                                              |  |  ^
 *	 +------------------- end ----------------------+  |  | swap: j accepts,
 *	                                          hand-off |  | or k withdraws
 *	                                                   v  |
 *	                                              OFFERED | j
 *
 *	FREE		no slot's; the descriptor is closed, or was accepted a
 *			moment ago
 *	CLAIMED | k	slot k fills the record in for a socket that it has
 *			accepted
 *	OPEN    | k	slot k owns the record and serves the connection
 *	OFFERED | j	offered to slot j by slot `offered_by`, often at once
 *			from CLAIMED
 *	CLOSING | k	slot k closes the descriptor
 *
 * Any worker may get a descriptor number as soon as it is closed: between
 * close(2) and the store that follows it, another worker may have accepted the
 * same number.  So a record is claimed from FREE or from any CLOSING, and
 * after a close slot k swaps only CLOSING | k to FREE, never a later word.
 *
 * Between accept4(2) and the claim, a worker that recovers may have found the
 * socket, served it and closed it.  So CLOSING must be about another socket.
 * And the word carries a claim counter, so a record that was claimed and freed
 * in between is not mistaken for an untouched one (ABA).
 */
#ifndef ECHOD_SHARED_CONNECTION_H
#define ECHOD_SHARED_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The most input that a handler can leave, and the address space of an input
 * window: twice as much, so that kept bytes can always be copied to its front
 * without overlap.  tests/model sets both to a few bytes, so that a few
 * bytes reach every edge. */
#ifndef SPILL_LINE
#define SPILL_LINE 65536
#define SPILL_WINDOW 131072
#endif
/* The address space of an output window: the most that a step writes. */
#ifndef OUTPUT_WINDOW
#define OUTPUT_WINDOW 65536
#endif
/* The largest state of a handler. */
#ifndef STATE_LIMIT
#define STATE_LIMIT 4096
#endif
/* The unit in which windows are counted: a page, on most machines. */
#ifndef SPILL_BLOCK
#define SPILL_BLOCK 4096
#endif
#define SPILL_BLOCKS (SPILL_WINDOW / SPILL_BLOCK)
#define OUTPUT_BLOCKS (OUTPUT_WINDOW / SPILL_BLOCK)

/* Drawn above. */
enum connection_state {
	CONN_FREE,
	CONN_CLAIMED,
	CONN_OPEN,
	CONN_OFFERED,
	CONN_CLOSING
};

/* How far the end of a connection has come. */
enum connection_phase {
	PHASE_SERVING,	 /* receives and answers */
	PHASE_FINISHING, /* the same, up to `limit`: the service ends */
	PHASE_LINGERING	 /* all sent, FIN sent; receives until EOF */
};

enum connection_flags {
	CONN_SPILLED = 1,   /* the kept input is in its window */
	CONN_OUTPUT = 2,    /* the unsent output is in its window */
	CONN_EOF = 4,	    /* the client has sent its FIN */
	CONN_ENROLLED = 8,  /* in the owner slot's epoll instance */
	CONN_WRITES = 16,   /* there for EPOLLOUT, or about to be */
	CONN_INACTIVE = 32, /* was not active when it was offered */
	CONN_HEADER = 64,   /* a PROXY header is awaited while consumed is 0 */
	CONN_CHARGED = 128  /* was counted for accept-rate */
};

/*
 * Why a connection ended, each reason written once: X(name, text, label), with
 * the text of the log and the label of metrics and JSON.
 */
/* clang-format off */
#define CLOSE_REASONS_TABLE(X) \
	/* The client closed, all was answered. */ \
	X(CLOSE_EOF, "client EOF", "client_eof") \
	/* The handler ended the connection in good order. */ \
	X(CLOSE_FINISHED, "finished", "finished") \
	/* The handler reset the connection. */ \
	X(CLOSE_ABORTED, "aborted", "aborted") \
	/* The client reset the connection, or is gone. */ \
	X(CLOSE_RESET, "client reset", "client_reset") \
	/* Silent for `timeout`. */ \
	X(CLOSE_IDLE, "idle", "idle") \
	/* The service stopped; nothing was lost. */ \
	X(CLOSE_DRAINED, "drained", "drained") \
	/* The stop's deadline passed first. */ \
	X(CLOSE_CUT, "cut at deadline", "cut") \
	/* Refused: maxclients, maxclients-per-ip. */ \
	X(CLOSE_LIMIT, "over limit", "over_limit") \
	/* A system call failed unexpectedly. */ \
	X(CLOSE_ERROR, "error", "error") \
	/* Its handler crashed, hung or answered nonsense. */ \
	X(CLOSE_FAULT, "fault", "fault") \
	/* Refused: its address, or its PROXY header. */ \
	X(CLOSE_DENIED, "denied", "denied") \
	/* Held much when memory was short. */ \
	X(CLOSE_MEMORY, "memory", "memory") \
	/* An administrator asked for it. */ \
	X(CLOSE_REQUEST, "by request", "request")
/* clang-format on */

enum close_reason {
#define REASON(name, text, label) name,
	CLOSE_REASONS_TABLE(REASON)
#undef REASON
	CLOSE_REASONS
};

struct peer {
	uint8_t address[16]; /* network order; 4 of them for AF_INET */
	uint32_t scope;	     /* of a link-local IPv6 address */
	uint16_t port;	     /* host order */
	uint8_t family;
	uint8_t unused; /* 0: peers are compared as bytes */
};

#define CONNECTION_INACTIVE UINT32_MAX

/* What events of a connection its handler has had, in `delivered`. */
#define DELIVERED_OPEN 1
#define DELIVERED_EOF 2

/* What a step decides, apart from the state.  The half that counts is never
 * written to. */
struct half {
	uint64_t consumed, produced;
	uint64_t wake : 48;	/* clock_ms() of TIMER; 0: no timer */
	uint64_t next : 4;	/* enum echod_next */
	uint64_t delivered : 4; /* DELIVERED_... */
	uint64_t entry : 8;	/* of the table of handlers */
	uint32_t written, passed;
};

struct connection {
	uint64_t rx, tx;
	/* Up to this position of the input a DATA has looked and taken nothing.
	 * A hint outside of the commit, stored after it: without it DATA comes
	 * once more. */
	uint64_t seen;
	uint64_t window_base;
	_Atomic uint32_t owner; /* connection_word() */
	_Atomic uint32_t epoch; /* half[epoch % 2] counts */
	uint8_t phase;		/* enum connection_phase */
	uint8_t flags;		/* enum connection_flags */
	uint8_t drained;	/* in PHASE_LINGERING: 1: the service ends */
	uint8_t unused;
	uint32_t active;     /* index in the owner's active set */
	uint32_t wakeup;     /* index in the owner's wakeups */
	uint32_t idle_since; /* clock_ms() / 100 ... */
	uint64_t idle_mark;  /* ... when rx + tx became this */
	/* Second cache line. */
	struct half half[2];
	/* Third cache line: rarely used. */
	uint64_t cookie; /* SO_COOKIE: names the socket */
	/* Of rx, in PHASE_FINISHING; clock_ms() of our FIN, in
	 * PHASE_LINGERING. */
	uint64_t limit;
	uint64_t opened;      /* clock_ms() */
	uint64_t quiet_since; /* clock_ms(), in PHASE_LINGERING */
	struct peer peer;
	/* The slot that made the offer, in CONN_OFFERED.  Atomic: a slot that
	 * looks for its own offers reads it in records of other owners. */
	_Atomic uint16_t offered_by;
	/* So many blocks from the start of each window may have pages. */
	uint8_t blocks, output_blocks;
	uint8_t used;	/* 1: a window was, since active_trim() */
	uint8_t paused; /* 1: not read, memory is full */
	/* Written by the master: connection_close_word() of the cookie if an
	 * administrator wants it closed; 0: no.  Its owner obeys, whoever owns
	 * it by then. */
	_Atomic uint16_t close;
};

_Static_assert(SPILL_WINDOW == 2 * SPILL_LINE, "two lines to a window");
_Static_assert(sizeof(struct half) == 32 &&
	offsetof(struct connection, half) == 64 &&
	sizeof(struct connection) == 192,
    "a connection is three cache lines, and its halves are one of them");

/* The state and slot in the word `owner`; the bits above count the claims of
 * this record. */
#define OWNER_MASK UINT32_C(0xfffff)
#define OWNER_CLAIM (OWNER_MASK + 1)

/* The word for a state and a slot; CONN_FREE has no slot. */
static inline uint32_t
owner_word(enum connection_state state, unsigned slot)
{
	return state == CONN_FREE ? 0 : (uint32_t)slot << 8 | state;
}

static inline enum connection_state
owner_state(uint32_t owner)
{
	return (enum connection_state)(owner & 0xff);
}

static inline unsigned
owner_slot(uint32_t owner)
{
	return (owner & OWNER_MASK) >> 8;
}

/* The word with its claim counter, for connection_claim(). */
static inline uint32_t
connection_word(const struct connection *c)
{
	return atomic_load_explicit(&c->owner, memory_order_acquire);
}

static inline uint32_t
connection_owner(const struct connection *c)
{
	return connection_word(c) & OWNER_MASK;
}

/* Store the owner: only by the owner, in OPEN or CLAIMED. */
static inline void
connection_set(struct connection *c, uint32_t owner)
{
	atomic_store_explicit(&c->owner,
	    (atomic_load_explicit(&c->owner, memory_order_relaxed) &
		~OWNER_MASK) |
		owner,
	    memory_order_release);
}

/* Compare and swap: returns false if the owner is not `from` any more. */
static inline bool
connection_swap(struct connection *c, uint32_t from, uint32_t to)
{
	uint32_t word = connection_word(c);

	while ((word & OWNER_MASK) == from)
		if (atomic_compare_exchange_weak(&c->owner, &word,
			(word & ~OWNER_MASK) | to))
			return true;
	return false;
}

/*
 * True if the record, whose word is `word`, is not about the socket with this
 * cookie: it is FREE, or it is CLOSING for another socket, whose number is
 * closed already.
 */
static inline bool
connection_vacant(const struct connection *c, uint32_t word, uint64_t cookie)
{
	return owner_state(word) == CONN_FREE ||
	    (owner_state(word) == CONN_CLOSING && c->cookie != cookie);
}

/*
 * Claim a record for a socket that is in no record: it becomes CLAIMED by
 * `slot`.  `word` was read before the socket was seen to be open and the record
 * to be vacant.  Returns false if the record was claimed since, even if it is
 * vacant again: the socket may be another slot's, or closed.
 */
static inline bool
connection_claim(struct connection *c, uint32_t word, unsigned slot)
{
	return atomic_compare_exchange_strong(&c->owner, &word,
	    ((word & ~OWNER_MASK) + OWNER_CLAIM) |
		owner_word(CONN_CLAIMED, slot));
}

/* The half that counts, and the one that does not. */
static inline const struct half *
connection_half(const struct connection *c)
{
	return &c->half[atomic_load_explicit(&c->epoch, memory_order_relaxed) %
	    2];
}

static inline struct half *
connection_other_half(struct connection *c)
{
	return &c->half[~atomic_load_explicit(&c->epoch, memory_order_relaxed) %
	    2];
}

/* Bytes received that the handler has not taken. */
static inline size_t
connection_unconsumed(const struct connection *c)
{
	return (size_t)(c->rx - connection_half(c)->consumed);
}

/* Bytes of output that are not sent: of those that the handler has written, and
 * of those that it has passed. */
static inline size_t
connection_unsent(const struct connection *c)
{
	return (size_t)(connection_half(c)->produced - c->tx);
}

static inline size_t
connection_unsent_passed(const struct connection *c)
{
	size_t unsent = connection_unsent(c), passed;

	passed = connection_half(c)->passed;
	return unsent < passed ? unsent : passed;
}

static inline size_t
connection_unsent_written(const struct connection *c)
{
	return connection_unsent(c) - connection_unsent_passed(c);
}

/* The position from which on the input must be kept. */
static inline uint64_t
connection_kept(const struct connection *c)
{
	return connection_half(c)->consumed - connection_unsent_passed(c);
}

/* Bytes that are neither taken by the handler nor sent. */
static inline size_t
connection_pending(const struct connection *c)
{
	return c->phase == PHASE_LINGERING
	    ? 0
	    : connection_unconsumed(c) + connection_unsent(c);
}

/* Blocks of its windows that may have pages. */
static inline unsigned
connection_blocks(const struct connection *c)
{
	return (unsigned)c->blocks + c->output_blocks;
}

/* True if no more input will be received from the connection. */
static inline bool
connection_at_end(const struct connection *c)
{
	return (c->flags & CONN_EOF) != 0 ||
	    (c->phase == PHASE_FINISHING && c->rx >= c->limit);
}

/* True if the PROXY header has not been removed yet.  The header is at position
 * 0, so a death cannot make it be removed twice. */
static inline bool
connection_awaits_header(const struct connection *c)
{
	return (c->flags & CONN_HEADER) != 0 &&
	    connection_half(c)->consumed == 0;
}

/* The word that asks for the close of the socket with that cookie, and of no
 * other that has the record a moment later; not 0. */
static inline uint16_t
connection_close_word(uint64_t cookie)
{
	return (uint16_t)(cookie % UINT16_MAX + 1);
}

static inline bool
connection_close_asked(const struct connection *c)
{
	return atomic_load_explicit(&c->close, memory_order_acquire) ==
	    connection_close_word(c->cookie);
}

/* True if the invariants above hold. */
bool connection_sane(const struct connection *c);

/* The same for a connection with no operation in progress: what is kept or
 * unsent is in its windows. */
bool connection_sane_at_rest(const struct connection *c);

/* Convert a peer to its one spelling (lib/address.h).  This is done wherever a
 * peer is made, so that peers can be compared as bytes. */
void peer_normalize(struct peer *p);

/* Store a socket address, normalized.  Families other than IPv4 and IPv6 make
 * an unnamed peer. */
void peer_from_sockaddr(struct peer *p, const struct sockaddr_storage *ss);

/* "192.0.2.1:5000" or "[2001:db8::1]:5000"; static storage. */
const char *peer_name(const struct peer *p);

/* For log lines: "client EOF". */
const char *close_reason_name(enum close_reason r);

/* For metrics and JSON: "client_eof". */
const char *close_reason_label(enum close_reason r);

#endif
