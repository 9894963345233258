/* SPDX-License-Identifier: ISC */
/*
 * Taking over a slot: whatever its last worker left in it goes on.
 *
 * Every connection of the slot is as its record says, but for the one that was
 * being served.  That one is settled by asking the kernel, which has counted
 * every byte that went in and out:
 *
 *	died			found			done
 *	before recv		positions agree		nothing
 *	after recv		kernel's rx is ahead	rx follows; the bytes are
 *				in scratch, or in the window
 *	in the handler		the same		it is called again
 *	after send		kernel's tx is ahead	tx follows
 *	before the rest was	CONN_SPILLED not set	scratch is copied to the
 *	spilled					window
 *
 * A death while accepting leaves a socket in no record (it is searched for), a
 * record half filled in (TAKING) or given without notice (the bit is set
 * again); a death while closing a record that says CLOSING, whose cookie tells
 * whether the close came to pass.
 */
#include "worker/recovery/recover.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "handler/handler.h"
#include "lib/signals.h"
#include "worker/balance/active.h"
#include "worker/balance/handoff.h"
#include "worker/connection/accept.h"
#include "worker/connection/admission.h"
#include "worker/connection/close.h"
#include "worker/connection/serve.h"
#include "worker/connection/tcp_info.h"
#include "worker/events.h"
#include "worker/memory.h"
#include "worker/recovery/lost_sockets.h"

/* Bring the record of a connection in doubt to what the kernel says.  Returns
 * false if it cannot go on. */
static bool
recover_settle(const struct worker *w, unsigned k, int fd)
{
	uint64_t base = w->arena->slot[k].op.base, rx, tx, cursor;
	struct connection *c = worker_connection(w, fd), now;

	if (c->phase == PHASE_LINGERING) {
		/* All that matters was sent; the rest is read and forgotten. */
		c->dropped = c->rx - c->tx;
		c->ready = c->rx;
		return true;
	}
	if (!tcp_info_positions(fd, &rx, &tx)) {
		if (errno != ECONNRESET)
			log_warn("%s: the kernel does not say how far it came",
			    peer_name(&c->peer));
		return false;
	}
	if (rx < c->rx || tx < c->tx)
		return false;
	counter_add(&w->slot->count.rx, rx - c->rx);
	counter_add(&w->slot->count.tx, tx - c->tx);
	c->rx = rx;
	c->tx = tx;
	cursor = connection_cursor(c);
	if (c->ready < cursor)
		c->ready = cursor;
	/* What is checked is what is used. */
	memcpy(&now, (const void *)c, sizeof(now));
	cursor = connection_cursor(&now);
	if (!connection_sane(&now))
		return false;
	if ((now.flags & CONN_SPILLED) == 0 && now.rx > cursor) {
		if (cursor < base || now.rx - base > SCRATCH_BYTES)
			return false;
		memory_count(&w->arena->slot[k], c, connection_pending(&now));
		memcpy(arena_window(w->arena, fd),
		    arena_scratch(w->arena, k) + (cursor - base),
		    connection_pending(&now));
		c->window_base = cursor;
		store_barrier();
		c->flags |= CONN_SPILLED;
	} else if ((now.flags & CONN_SPILLED) != 0)
		memory_count(&w->arena->slot[k], c,
		    (size_t)(now.rx - now.window_base));
	return true;
}

/*
 * Take a connection out of the epoll instance of another slot.  This must be
 * done while that slot owns it: CONN_ENROLLED means that of the owner, and a
 * connection that a death leaves to us with the flag set would be looked for in
 * ours.
 */
static void
recover_unwatch(const struct worker *w, unsigned k, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if ((c->flags & CONN_ENROLLED) == 0)
		return;
	/* The flags first, as in events_forget().  A death in between leaves
	 * an entry that the slot's next worker disowns when it is told. */
	c->flags &= (uint8_t) ~(CONN_ENROLLED | CONN_WRITES);
	store_barrier();
	(void)epoll_ctl(w->arena->slot[k].watch_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Whether `fd` is the socket that its record is about, or a client's at all:
 * what cannot be served is not closed for what a spoilt record says. */
static bool
recover_is_ours_to_close(const struct worker *w, int fd)
{
	uint64_t cookie = tcp_info_cookie(fd);

	return cookie != 0 &&
	    (cookie == worker_connection(w, fd)->cookie ||
		lost_sockets_is_client(w, fd));
}

/* End a connection that this worker counts as its own and cannot go on. */
static void
recover_give_up(struct worker *w, int fd, enum close_reason reason, int error)
{
	struct connection *c = worker_connection(w, fd);
	uint32_t held = connection_owner(c);

	active_remove(w, fd);
	if (recover_is_ours_to_close(w, fd)) {
		close_connection(w, fd, reason, error);
		return;
	}
	log_warnx("the record of descriptor %d is spoilt", fd);
	counter_add(&w->slot->count.closed[reason], 1);
	memory_remove(w->slot, c);
	atomic_fetch_sub(&w->slot->held, 1);
	(void)connection_swap(c, held, owner_word(CONN_FREE, 0));
}

/* Watch a connection that is in this worker's name now.  The slot's epoll
 * instance has most of them, for what they wait for. */
static void
recover_watch(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	bool paused = c->paused != 0;

	c->active = CONNECTION_INACTIVE;
	/* If memory is full still, it is so again. */
	c->paused = 0;
	if ((paused || (c->flags & CONN_ENROLLED) == 0 ||
		(c->flags & CONN_WRITES) != 0 || connection_unsent(c) > 0) &&
	    events_add(w, fd) == -1)
		recover_give_up(w, fd, CLOSE_ERROR, errno);
}

/* A socket of slot `k` that was to be closed: close it if it still is that
 * socket. */
static void
recover_finish_close(struct worker *w, int fd, uint32_t owner)
{
	struct connection *c = worker_connection(w, fd);
	bool open = c->cookie != 0 && tcp_info_cookie(fd) == c->cookie;

	/* Fails if the number has been taken for another socket meanwhile. */
	if (connection_swap(c, owner,
		owner_word(open ? CONN_CLOSING : CONN_FREE, w->number)) &&
	    open)
		close_descriptor(w, fd);
}

/* A connection has become ours that was slot `k`'s, or was on its way to it. */
static void
recover_count_taken(struct worker *w, unsigned k, int fd,
    enum connection_state was)
{
	const struct connection *c = worker_connection(w, fd);

	atomic_fetch_add(&w->slot->held, 1);
	memory_add(w->slot, c);
	if (was != CONN_OPEN)
		return;
	atomic_fetch_sub(&w->arena->slot[k].held, 1);
	memory_remove(&w->arena->slot[k], c);
}

/* One record: carry on with whatever slot `k` had to do with it. */
static void
recover_take_record(struct worker *w, unsigned k, int fd, struct recovered *r)
{
	struct connection *c = worker_connection(w, fd);
	uint32_t h = connection_owner(c);
	uint32_t ours = owner_word(CONN_OPEN, w->number);
	unsigned owner = owner_slot(h);
	uint16_t offered_by = (uint16_t)k;

	/* Given to a slot there is not: as if to us. */
	if (owner_state(h) == CONN_OFFERED && owner >= w->arena->slots) {
		if (atomic_load(&c->offered_by) != k)
			return;
		owner = k;
	}
	/* Given, perhaps without notice.  Who it was given to may have taken it
	 * by now, and given it on: that one's word stays. */
	if (owner_state(h) == CONN_OFFERED && owner != k &&
	    atomic_compare_exchange_strong(&c->offered_by, &offered_by,
		(uint16_t)w->number)) {
		atomic_fetch_or(&arena_handoff(w->arena, owner)[fd / 64],
		    UINT64_C(1) << (fd % 64));
		handoff_wake(w, owner);
		w->offers_at = 0;
		return;
	}
	if (owner != k)
		return;
	switch (owner_state(h)) {
	case CONN_CLAIMED:
		connection_set(c, owner_word(CONN_CLAIMED, w->number));
		lost_sockets_enter(w, fd, r);
		break;
	case CONN_CLOSING:
		recover_finish_close(w, fd, h);
		break;
	case CONN_OFFERED:
	case CONN_OPEN:
		if (k != w->number && owner_state(h) == CONN_OPEN)
			recover_unwatch(w, k, fd);
		/* An orphan that was entered just now is watched already. */
		if ((h == ours && c->active != CONNECTION_INACTIVE) ||
		    !connection_swap(c, h, ours))
			break;
		if (k != w->number || owner_state(h) == CONN_OFFERED)
			recover_count_taken(w, k, fd, owner_state(h));
		if (worker_can_serve(w, fd) && !connection_close_asked(c)) {
			recover_watch(w, fd);
			r->kept++;
			break;
		}
		if (worker_can_serve(w, fd))
			recover_give_up(w, fd, CLOSE_REQUEST, 0);
		else
			recover_give_up(w, fd, CLOSE_ERROR, EOWNERDEAD);
		r->closed++;
		break;
	default:
		break;
	}
}

/* The connection that was being served: by its own fault its worker died, or
 * it goes on, unless memory is to be had from it (`shed`). */
static void
recover_take_doubtful(struct worker *w, unsigned k, int fd, bool shed,
    struct recovered *r)
{
	struct slot *s = &w->arena->slot[k];
	struct connection *c = worker_connection(w, fd);
	int fault = atomic_load(&s->fault);
	enum handler_kind handler = (enum handler_kind)c->handler;

	if (connection_owner(c) != owner_word(CONN_OPEN, k) ||
	    (fault == 0 && !shed && recover_settle(w, k, fd)))
		return; /* the rest as with all others */
	if (fault != 0 && handler < HANDLER_KINDS)
		log_warnx("%s closed: its input to handler %s %s worker %u "
			  "(%s); %llu bytes in, %llu out",
		    peer_name(&c->peer), handler_of(handler)->name,
		    fault == FAULT_HUNG ? "hung" : "crashed", k,
		    fault == FAULT_HUNG ? "watchdog" : signals_name(fault),
		    (unsigned long long)c->rx, (unsigned long long)c->tx);
	/* Slot k's until it is CLOSING: as an open one of ours, a death would
	 * leave it to a successor that knows of no doubt. */
	if (k != w->number)
		recover_count_taken(w, k, fd, CONN_OPEN);
	recover_give_up(w, fd,
	    fault != 0 ? CLOSE_FAULT
		: shed ? CLOSE_MEMORY
		       : CLOSE_RESET,
	    0);
	r->closed++;
}

/* Carry on with ends that were begun and with what lies in windows: one of
 * them may have been settled by a successor that died before it went on. */
static void
recover_resume(struct worker *w, int doubtful, struct recovered *r)
{
	const uint32_t ours = owner_word(CONN_OPEN, w->number);

	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	     fd = arena_next(w->arena, w->number, fd + 1)) {
		const struct connection *c = worker_connection(w, fd);

		/* Those it had before, if it takes over a sibling's. */
		if (!worker_can_serve(w, fd)) {
			recover_give_up(w, fd, CLOSE_ERROR, EOWNERDEAD);
			r->closed++;
		} else if (fd == doubtful || c->phase == PHASE_FINISHING ||
		    (c->flags & CONN_SPILLED) != 0)
			serve_resume(w, fd);
		/* Only a hot one's window is given back in time. */
		if (connection_owner(c) == ours && c->blocks > 0 &&
		    connection_pending(c) == 0) {
			(void)active_touch(w, fd);
			memory_took(w, fd, 0);
		}
	}
}

struct recovered
recover(struct worker *w, unsigned k)
{
	struct slot *s = &w->arena->slot[k];
	uint32_t kind = atomic_load(&s->op.kind), theirs = k + 1;
	int doubtful = kind == OP_SERVE ? s->op.fd : -1;
	bool shed = atomic_load(&s->shed) != 0;
	struct recovered r = { 0, 0 };
	uint32_t held = 0;

	atomic_compare_exchange_strong(&w->arena->header->admission, &theirs,
	    0);
	/* Counted anew. */
	atomic_store(&s->blocks, 0);
	for (int fd = arena_next(w->arena, k, 0); fd != -1;
	     fd = arena_next(w->arena, k, fd + 1)) {
		worker_connection(w, fd)->active = CONNECTION_INACTIVE;
		memory_add(s, worker_connection(w, fd));
		held++;
	}
	atomic_store(&s->held, held);
	atomic_store(&s->active, 0);
	atomic_store(&s->inflight, 0);
	if (doubtful >= 0 && (uint32_t)doubtful < arena_descriptors(w->arena))
		recover_take_doubtful(w, k, doubtful, shed, &r);
	if (kind == OP_ACCEPT)
		lost_sockets_find(w, &r);
	for (int fd = 0; fd < (int)arena_end(w->arena); fd++)
		recover_take_record(w, k, fd, &r);
	/* It may have died over a reservation that nobody redeems now. */
	handoff_wake_reserving(w);
	/* Settled: from here on it may be this worker's own operation. */
	store_barrier();
	atomic_store(&s->op.kind, OP_NONE);
	atomic_store(&s->fault, 0);
	if (shed) {
		unsigned n = memory_shed(w);

		log_warnx("memory is short: %u clients closed that held much",
		    n);
		r.kept -= n < r.kept ? n : r.kept;
		r.closed += n;
		atomic_store(&s->shed, 0);
	}
	recover_resume(w, doubtful, &r);
	return r;
}
