/* SPDX-License-Identifier: ISC */
/*
 * A connection's record in the arena: all facts about the connection.
 *
 * The truth about a connection is its stream positions, not a buffer:
 *
 *	rx	bytes received from the socket
 *	tx	bytes sent to the socket
 *	dropped	bytes that the handler consumed without sending them
 *	ready	position up to which the handler has released input
 *
 * All four count from the connection's first byte and only grow.  The next
 * byte to send or drop is at position tx + dropped (the cursor); always
 *
 *	cursor <= ready <= rx   and   rx - cursor <= SPILL_LINE.
 *
 * The bytes between cursor and rx are pending.  During an operation they are in
 * the owner slot's scratch buffer, otherwise in the connection's spill window.
 * CONN_SPILLED says that they are in the window, where position p is at offset
 * p - window_base.  Bytes in the window are never moved in place: to make room,
 * they are copied to a part that does not overlap, and then window_base is
 * stored.
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

/* The longest line that is held until its end arrives, and the address space of
 * a window: twice the line, so that pending bytes can always be copied to its
 * front without overlap.  tests/model sets both to a few bytes, so that a few
 * bytes reach every edge. */
#ifndef SPILL_LINE
#define SPILL_LINE 65536
#define SPILL_WINDOW 131072
#endif
/* The unit in which windows are counted: a page, on most machines. */
#ifndef SPILL_BLOCK
#define SPILL_BLOCK 4096
#endif
#define SPILL_BLOCKS (SPILL_WINDOW / SPILL_BLOCK)

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
	PHASE_SERVING,	 /* receives and echoes */
	PHASE_FINISHING, /* receives up to `limit`, sends the rest */
	PHASE_LINGERING	 /* all sent, FIN sent; receives until EOF */
};

enum connection_flags {
	CONN_SPILLED = 1,   /* the pending bytes are in the window */
	CONN_EOF = 4,	    /* the client has sent its FIN */
	CONN_ENROLLED = 8,  /* in the owner slot's epoll instance */
	CONN_WRITES = 16,   /* there for EPOLLOUT, or about to be */
	CONN_INACTIVE = 32, /* was not active when it was offered */
	CONN_HEADER = 64,   /* a PROXY header is awaited while cursor is 0 */
	CONN_CHARGED = 128  /* was counted for accept-rate */
};

/*
 * Why a connection ended, each reason written once: X(name, text, label), with
 * the text of the log and the label of metrics and JSON.
 */
/* clang-format off */
#define CLOSE_REASONS_TABLE(X) \
	/* The client closed, all was echoed. */ \
	X(CLOSE_EOF, "client EOF", "client_eof") \
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
	/* Its input crashed the worker, or hung it. */ \
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

struct connection {
	uint64_t rx, tx, dropped, ready;
	uint64_t window_base;
	_Atomic uint32_t owner; /* connection_word() */
	uint8_t handler;	/* enum handler_kind */
	uint8_t phase;		/* enum connection_phase */
	uint8_t flags;		/* enum connection_flags */
	uint8_t unused;
	uint32_t active;     /* index in the owner's active set */
	uint32_t idle_since; /* clock_ms() / 100 ... */
	uint64_t idle_mark;  /* ... when rx + tx became this */
	/* Second cache line: rarely used. */
	uint64_t cookie;      /* SO_COOKIE: names the socket */
	uint64_t limit;	      /* of rx, in PHASE_FINISHING */
	uint64_t opened;      /* clock_ms() */
	uint64_t quiet_since; /* clock_ms(), in PHASE_LINGERING */
	struct peer peer;
	/* The slot that made the offer, in CONN_OFFERED.  Atomic: a slot that
	 * looks for its own offers reads it in records of other owners. */
	_Atomic uint16_t offered_by;
	/* So many blocks from the start of the window may have pages. */
	uint8_t blocks;
	uint8_t used;	/* 1: the window was, since active_trim() */
	uint8_t paused; /* 1: not read, memory is full */
	uint8_t padding;
	/* Written by the master: connection_close_word() of the cookie if an
	 * administrator wants it closed; 0: no.  Its owner obeys, whoever owns
	 * it by then. */
	_Atomic uint16_t close;
};

_Static_assert(SPILL_WINDOW == 2 * SPILL_LINE, "two lines to a window");
_Static_assert(sizeof(struct connection) == 128,
    "a connection is two cache lines");

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

/* Position of the next byte to send or drop. */
static inline uint64_t
connection_cursor(const struct connection *c)
{
	return c->tx + c->dropped;
}

/* Bytes received and neither sent nor dropped. */
static inline size_t
connection_pending(const struct connection *c)
{
	return (size_t)(c->rx - connection_cursor(c));
}

/* The pending bytes that the handler has released. */
static inline size_t
connection_unsent(const struct connection *c)
{
	return (size_t)(c->ready - connection_cursor(c));
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
	return (c->flags & CONN_HEADER) != 0 && connection_cursor(c) == 0;
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

/* The same for a connection with no operation in progress: its pending bytes
 * are in its window. */
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
