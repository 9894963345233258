/* SPDX-License-Identifier: ISC */
/*
 * One connection's record in the arena: all that is known about it.
 *
 * The truth about a connection is its stream positions, not a buffer:
 *
 *	rx	bytes taken from the socket
 *	tx	bytes given back to it
 *	dropped	bytes the handler consumed without giving them back
 *	ready	position up to which the handler has released input
 *
 * All four count from the connection's first byte and only grow.  The next
 * byte to send or drop is at position tx + dropped (the cursor); always
 *
 *	cursor <= ready <= rx   and   rx - cursor <= SPILL_LINE.
 *
 * The bytes between cursor and rx are the pending ones.  They lie in the
 * owner slot's scratch buffer while an operation is in progress and in the
 * connection's spill window otherwise; CONN_SPILLED says that they are in the
 * window, where position p lies at offset p - window_base.  Bytes already in
 * place are never moved within the window: what must make room is copied to
 * a part that does not overlap, and window_base is published after that.
 *
 * Who may write a record is said by one word, `holder`: a state, the number of
 * a slot, and a count of claims, changed together.
 *
 *	FREE		nobody's; the descriptor is closed, or was accepted a
 *			moment ago
 *	TAKING  | k	slot k fills it in for a socket it has accepted
 *	OPEN    | k	slot k owns it and serves the connection
 *	GIVEN   | k	offered to slot k; a compare-and-swap makes it k's, or
 *			the giver's again if k does not come for it
 *	CLOSING | k	slot k closes the descriptor
 *
 * Descriptor numbers are reused at once, by any worker: between close(2) and
 * the store that follows it, another worker may have accepted the same number.
 * So a record is taken from FREE or from anyone's CLOSING, and after a close
 * only CLOSING | k is set to FREE by k, never what has come after it.  And
 * between accept(2) and the claim, a worker that recovers may have found the
 * socket, served and closed it: so CLOSING must speak of another socket, and
 * the word counts claims, lest one that is vacant again looks untouched.
 */
#ifndef ECHOD_SHARED_CONNECTION_H
#define ECHOD_SHARED_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The longest line that is held back until its end arrives, and the address
 * space of a window: twice the line, so that pending bytes can always be copied
 * to its front without overlapping where they came from.  tests/model sets them
 * to a few bytes, so that a few bytes come to every edge. */
#ifndef SPILL_LINE
#define SPILL_LINE 65536
#define SPILL_WINDOW 131072
#endif
/* What windows are counted in: a page, on most machines. */
#ifndef SPILL_BLOCK
#define SPILL_BLOCK 4096
#endif
#define SPILL_BLOCKS (SPILL_WINDOW / SPILL_BLOCK)

enum connection_state {
	CONN_FREE,
	CONN_CLAIMED,
	CONN_OPEN,
	CONN_OFFERED,
	CONN_CLOSING
};

/* How far the stop of a connection has come. */
enum connection_phase {
	PHASE_SERVING,	 /* reading and echoing */
	PHASE_FINISHING, /* reads up to `limit` only, then flushes */
	PHASE_LINGERING	 /* all sent, SHUT_WR done; reads to EOF */
};

enum connection_flags {
	CONN_SPILLED = 1,   /* the pending bytes are in the window */
	CONN_EOF = 4,	    /* the client has sent its FIN */
	CONN_ENROLLED = 8,  /* in the owner slot's epoll instance */
	CONN_WRITES = 16,   /* there for EPOLLOUT, or about to be */
	CONN_INACTIVE = 32, /* was not hot when it was given */
	CONN_HEADER = 64,   /* begins with a PROXY header, while cursor is
				   0; or may */
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
	/* The client reset the connection, or vanished. */ \
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
	/* Its input killed the worker, or hung it. */ \
	X(CLOSE_FAULT, "fault", "fault") \
	/* Refused: its address, or its PROXY header. */ \
	X(CLOSE_DENIED, "denied", "denied") \
	/* Held much when memory was short. */ \
	X(CLOSE_MEMORY, "memory", "memory")
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
	uint8_t unused; /* 0: peers are compared as bytes, and
					   padding may be anything */
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
	uint32_t active;     /* index in the owner's array of them */
	uint32_t idle_since; /* clock_ms() / 100 ... */
	uint64_t idle_mark;  /* ... when rx + tx became this */
	/* Second cache line: seldom touched. */
	uint64_t cookie;      /* SO_COOKIE: names the socket */
	uint64_t limit;	      /* of rx, in PHASE_FINISHING */
	uint64_t opened;      /* clock_ms() */
	uint64_t quiet_since; /* clock_ms(), in PHASE_LINGERING */
	struct peer peer;
	/* Slot that gave it, CONN_OFFERED.  One that looks for what it gave
	 * itself reads it in records that are another's already. */
	_Atomic uint16_t offered_by;
	/* Of the window: its first so many blocks may have pages. */
	uint8_t blocks;
	uint8_t used;	/* 1: it was, since memory_trim() looked */
	uint8_t paused; /* 1: not read, for want of memory */
	uint8_t padding[3];
};

_Static_assert(SPILL_WINDOW == 2 * SPILL_LINE, "two lines to a window");
_Static_assert(sizeof(struct connection) == 128,
    "a connection is two cache lines");

/* Of the word `holder`, its state and slot; beyond them the claims of this
 * record are counted, so that one claim is told from another. */
#define OWNER_MASK UINT32_C(0xfffff)
#define OWNER_CLAIM (OWNER_MASK + 1)

/* The word for a state and a slot; CONN_FREE has none. */
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

/* The word, owner_word() and the claims, for connection_claim(). */
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

/* Say whose it is: for who holds it, that is, OPEN or TAKING. */
static inline void
connection_set(struct connection *c, uint32_t owner)
{
	atomic_store_explicit(&c->owner,
	    (atomic_load_explicit(&c->owner, memory_order_relaxed) &
		~OWNER_MASK) |
		owner,
	    memory_order_release);
}

/* Compare and swap: false if it is not held by `from` any more. */
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
 * True if the record, which says `word`, does not speak of the socket with
 * that cookie: it is free, or another socket's that is being closed, by whom
 * the number was given back already.
 */
static inline bool
connection_vacant(const struct connection *c, uint32_t word, uint64_t cookie)
{
	return owner_state(word) == CONN_FREE ||
	    (owner_state(word) == CONN_CLOSING && c->cookie != cookie);
}

/*
 * Claim a record for a socket that is in none: it becomes TAKING, by `slot`.
 * `word` was read before the socket was found to be open and the record to be
 * vacant.  False if anybody has claimed it since, be it vacant again: then the
 * socket may be that one's, or closed.
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

/* Bytes taken from the socket and neither given back nor dropped. */
static inline size_t
connection_pending(const struct connection *c)
{
	return (size_t)(c->rx - connection_cursor(c));
}

/* Of those, the bytes that wait for the client to read. */
static inline size_t
connection_unsent(const struct connection *c)
{
	return (size_t)(c->ready - connection_cursor(c));
}

/* True once no more input will be taken from the connection. */
static inline bool
connection_at_end(const struct connection *c)
{
	return (c->flags & CONN_EOF) != 0 ||
	    (c->phase == PHASE_FINISHING && c->rx >= c->limit);
}

/* True if the PROXY header has yet to be taken.  It stands at position 0, so
 * that it is not taken twice, whatever a death leaves behind. */
static inline bool
connection_awaits_header(const struct connection *c)
{
	return (c->flags & CONN_HEADER) != 0 && connection_cursor(c) == 0;
}

/* True if the invariants above hold. */
bool connection_sane(const struct connection *c);

/* The same of a connection that no operation is in progress on: what is
 * pending is in its window. */
bool connection_sane_at_rest(const struct connection *c);

/* Give a peer its one spelling (lib/address.h).  To be done wherever one is
 * made, so that peers can be compared as bytes. */
void peer_normalize(struct peer *p);

/* Store a socket address, normalized; families other than IPv4 and IPv6 give
 * an unnamed peer. */
void peer_from_sockaddr(struct peer *p, const struct sockaddr_storage *ss);

/* "192.0.2.1:5000" or "[2001:db8::1]:5000"; static storage. */
const char *peer_name(const struct peer *p);

/* For log lines: "client EOF". */
const char *close_reason_name(enum close_reason r);

/* For metrics and JSON: "client_eof". */
const char *close_reason_label(enum close_reason r);

#endif
