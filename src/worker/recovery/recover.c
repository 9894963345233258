/* SPDX-License-Identifier: ISC */
/*
 * Recovery of a slot.
 *
 * The record of each connection of the slot is correct, except for the one that
 * was being served.  For that connection the kernel knows the truth: it has
 * counted every byte that went in and out:
 *
 *	death			found			action
 *	before recv		positions agree		none
 *	after recv		kernel's rx is ahead	rx follows; the bytes
 *							are in scratch, or in
 *							the window
 *	in a step, or before	the epoch is the old	the step is made again
 *	its commit
 *	after the commit	the new epoch		its output is sent
 *	after send		kernel's tx is ahead	tx follows
 *	before the rest was	CONN_SPILLED or		scratch is copied to
 *	spilled			CONN_OUTPUT not set	the windows
 *
 * A death while accepting leaves a socket in no record, which is searched for;
 * or a record that is CLAIMED and half filled in; or one that is OFFERED and
 * not notified, for which the bit is set again.  A death while closing leaves a
 * record that is CLOSING, whose cookie tells whether the socket was closed.
 *
 * Only the connection that was being served is settled before the new worker
 * begins to serve, so the pause does not grow with the number of connections.
 * Its scratch is needed at once.  All other records tell by themselves how far
 * they came, as often as a worker dies over them.  So they wait for a slice.
 * The search for lost sockets waits, too: nobody has such a socket, so its
 * number is given to no other.  No record tells of the search: the slot's word
 * `lost` does until it is through.
 */
#include "worker/recovery/recover.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "lib/signals.h"
#include "worker/balance/handoff.h"
#include "worker/connection/accept.h"
#include "worker/connection/admission.h"
#include "worker/connection/close.h"
#include "worker/connection/counting.h"
#include "worker/connection/serve.h"
#include "worker/connection/tcp_info.h"
#include "worker/connection/window.h"
#include "worker/memory.h"
#include "worker/recovery/lost_sockets.h"
#include "worker/recovery/visit.h"

/* A slice takes so long, us; the time is looked at after so many records. */
#ifndef SLICE_RECORDS
#define SLICE_RECORDS 8
#define SLICE_US 200
#endif

/* Correct the record of the connection in doubt by the kernel's positions.
 * Returns false if the connection cannot go on. */
static bool
recover_settle(const struct worker *w, unsigned k, int fd)
{
	struct slot *slot = &w->arena->slot[k];
	struct connection *c = worker_connection(w, fd), now;
	uint64_t base = slot->op.base, rx, tx, kept;
	size_t input = 0, output = 0, at;
	uint8_t flags = 0;

	/* All output was sent; input is received and forgotten. */
	if (c->phase == PHASE_LINGERING)
		return true;
	if (!tcp_info_positions(fd, &rx, &tx)) {
		if (errno != ECONNRESET)
			log_warn("%s: the kernel does not say how far it came",
			    worker_client_name(w, c));
		return false;
	}
	if (rx < c->rx || tx < c->tx)
		return false;
	c->rx = rx;
	c->tx = tx;
	/* The copy is checked and used: another process can write to the
	 * record. */
	memcpy(&now, (const void *)c, sizeof(now));
	if (!connection_sane(&now))
		return false;
	kept = connection_kept(&now);
	if ((now.flags & CONN_SPILLED) == 0)
		input = (size_t)(now.rx - kept);
	if ((now.flags & CONN_OUTPUT) == 0)
		output = connection_unsent_written(&now);
	if (input > 0 && (kept < base || now.rx - base > SCRATCH_BYTES))
		return false;
	window_grow(slot, c,
	    (now.flags & CONN_SPILLED) != 0 ? (size_t)(now.rx - now.window_base)
					    : input,
	    output > 0 ? connection_half(&now)->written : 0);
	if (input > 0) {
		memcpy(arena_window(w->arena, fd),
		    arena_scratch(w->arena, k) + (kept - base), input);
		c->window_base = kept;
		flags |= CONN_SPILLED;
	}
	if (output > 0) {
		at = connection_half(&now)->written - output;
		memcpy(arena_output(w->arena, fd) + at,
		    arena_scratch_output(w->arena, k) + at, output);
		flags |= CONN_OUTPUT;
	}
	store_barrier();
	c->flags |= flags;
	return true;
}

/*
 * Remove a connection from the epoll instance of slot `k`.  This must be done
 * while slot `k` owns the connection: CONN_ENROLLED is about the owner's
 * instance.  If we owned it with the flag set and died, our successor would
 * believe that the connection is in our instance.
 */
static void
recover_unwatch(const struct worker *w, unsigned k, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if ((c->flags & CONN_ENROLLED) == 0)
		return;
	/* The flags first, as in events_forget().  A death in between leaves
	 * an entry that the slot's next worker disowns at its first event. */
	c->flags &= (uint8_t) ~(CONN_ENROLLED | CONN_WRITES);
	store_barrier();
	(void)epoll_ctl(w->arena->slot[k].watch_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* True if `fd` is the socket that its record is about, or at least a client's
 * socket: a spoilt record must not make us close another descriptor. */
static bool
recover_may_close(const struct worker *w, int fd)
{
	uint64_t cookie = tcp_info_cookie(fd);

	return cookie != 0 &&
	    (cookie == worker_connection(w, fd)->cookie ||
		lost_sockets_is_client(w, fd));
}

/* End a connection that this worker counts as its own and that cannot go on. */
static void
recover_give_up(struct worker *w, int fd, enum close_reason reason, int error)
{
	struct connection *c = worker_connection(w, fd);
	uint32_t owner = connection_owner(c);

	active_remove(&w->active, fd);
	wakeups_remove(&w->wakeups, fd);
	if (recover_may_close(w, fd)) {
		close_connection(w, fd, reason, error);
		return;
	}
	log_warnx("the record of descriptor %d is spoilt", fd);
	counter_add(&worker_count(w, c)->closed[reason], 1);
	window_remove(w->slot, c);
	atomic_fetch_sub(&w->slot->held, 1);
	(void)connection_swap(c, owner, owner_word(CONN_FREE, 0));
}

/* Watch a connection that has become this worker's.  The slot's epoll instance
 * already has most of them, with the right events. */
static void
recover_watch(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	bool paused = c->paused != 0;

	c->active = CONNECTION_INACTIVE;
	/* If memory is still full, it is paused again. */
	c->paused = 0;
	if ((paused || (c->flags & CONN_ENROLLED) == 0 ||
		(c->flags & CONN_WRITES) != 0 || connection_unsent(c) > 0) &&
	    events_add(&w->events, fd) == -1)
		recover_give_up(w, fd, CLOSE_ERROR, errno);
}

/* CLOSING by slot `k`: close the descriptor if it still is that socket. */
static void
recover_finish_close(struct worker *w, int fd, uint32_t owner)
{
	struct connection *c = worker_connection(w, fd);
	bool open = c->cookie != 0 && tcp_info_cookie(fd) == c->cookie;

	/* This fails if another worker has claimed the record for another
	 * socket meanwhile. */
	if (connection_swap(c, owner,
		owner_word(open ? CONN_CLOSING : CONN_FREE, w->number)) &&
	    open)
		close_descriptor(w, fd);
}

/* A connection that was in no slot has become ours. */
static void
recover_count(struct worker *w, int fd)
{
	atomic_fetch_add(&w->slot->held, 1);
	window_add(w->slot, worker_connection(w, fd));
}

/* A connection of slot `k` has become ours. */
static void
recover_count_from(struct worker *w, unsigned k, int fd)
{
	recover_count(w, fd);
	atomic_fetch_sub(&w->arena->slot[k].held, 1);
	window_remove(&w->arena->slot[k], worker_connection(w, fd));
}

/* Continue: steps and ends that are due, output that is unsent, timers. */
static void
recover_resume(struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);
	const uint32_t ours = owner_word(CONN_OPEN, w->number);

	if (connection_owner(c) == ours)
		serve_resume(w, fd);
	/* Only the window of an active connection is released in time. */
	if (connection_owner(c) == ours && connection_blocks(c) > 0 &&
	    connection_pending(c) == 0) {
		(void)active_touch(&w->active, fd);
		memory_took(w, fd, 0, 0);
	}
}

/* A lost socket, in a record that is CLAIMED by us. */
static void
recover_enter(struct worker *w, int fd, struct recovered *r)
{
	slices_mark(&w->slices, fd);
	if (lost_sockets_enter(w, fd)) {
		r->kept++;
		recover_resume(w, fd); /* a handler may speak first */
	} else
		r->closed++;
}

/* A connection that has become ours goes on, or is closed if it cannot be
 * served. */
static void
recover_go_on(struct worker *w, int fd, struct recovered *r)
{
	slices_mark(&w->slices, fd);
	worker_connection(w, fd)->active = CONNECTION_INACTIVE;
	if (!worker_can_serve(w, fd))
		recover_give_up(w, fd, CLOSE_ERROR, EOWNERDEAD);
	else if (connection_close_asked(worker_connection(w, fd)))
		recover_give_up(w, fd, CLOSE_REQUEST, 0);
	else {
		recover_watch(w, fd);
		r->kept++;
		recover_resume(w, fd);
		return;
	}
	r->closed++;
}

/* OPEN by slot `k`, which is unattended: it becomes ours. */
static void
recover_take_over(struct worker *w, unsigned k, int fd, struct recovered *r)
{
	recover_unwatch(w, k, fd);
	if (!connection_swap(worker_connection(w, fd), owner_word(CONN_OPEN, k),
		owner_word(CONN_OPEN, w->number)))
		return;
	recover_count_from(w, k, fd);
	recover_go_on(w, fd, r);
}

/* OFFERED, as `owner` says, to our own slot, to the slot that we adopt, or to
 * a slot that does not exist: accept the offer. */
static void
recover_accept_offer(struct worker *w, int fd, uint32_t owner,
    struct recovered *r)
{
	if (!connection_swap(worker_connection(w, fd), owner,
		owner_word(CONN_OPEN, w->number)))
		return;
	if (owner_slot(owner) < w->arena->slots)
		siblings_unreserve(&w->siblings, owner_slot(owner));
	recover_count(w, fd);
	recover_go_on(w, fd, r);
}

/* OFFERED by slot `k` to slot `to`, but the notification may be missing.  The
 * recipient may already have accepted the offer and passed the connection on;
 * `offered_by` says so, and the record is left alone. */
static void
recover_offer_again(struct worker *w, unsigned k, int fd, unsigned to)
{
	uint16_t by = (uint16_t)k;

	if (!atomic_compare_exchange_strong(&worker_connection(w, fd)
						 ->offered_by,
		&by, (uint16_t)w->number))
		return;
	atomic_fetch_or(&arena_handoff(w->arena, to)[fd / 64],
	    UINT64_C(1) << (fd % 64));
	siblings_wake(&w->siblings, to);
	timer_set(&w->timers, TIMER_WITHDRAW, 0);
}

static void
recover_offered(struct worker *w, unsigned k, int fd, uint32_t owner,
    struct recovered *r)
{
	unsigned to = owner_slot(owner);

	if (to == k)
		recover_accept_offer(w, fd, owner, r);
	else if (to < w->arena->slots)
		recover_offer_again(w, k, fd, to);
	else if (atomic_load(&worker_connection(w, fd)->offered_by) == k)
		recover_accept_offer(w, fd, owner, r);
}

/* CLAIMED by slot `k`, and half filled in: enter the client anew. */
static void
recover_claimed(struct worker *w, int fd, struct recovered *r)
{
	connection_set(worker_connection(w, fd),
	    owner_word(CONN_CLAIMED, w->number));
	recover_enter(w, fd, r);
}

/* Continue the part that slot `k` has in one record. */
static void
recover_record(struct worker *w, unsigned k, int fd, struct recovered *r)
{
	uint32_t owner = connection_owner(worker_connection(w, fd));

	if (owner_state(owner) == CONN_OFFERED)
		recover_offered(w, k, fd, owner, r);
	else if (owner == owner_word(CONN_CLAIMED, k))
		recover_claimed(w, fd, r);
	else if (owner == owner_word(CONN_CLOSING, k))
		recover_finish_close(w, fd, owner);
	else if (owner != owner_word(CONN_OPEN, k))
		return;
	else if (k == w->number)
		recover_go_on(w, fd, r);
	else
		recover_take_over(w, k, fd, r);
}

/* The bytes of the operation: as many as the record says. */
static void
recover_count_bytes(const struct worker *w, unsigned k,
    const struct connection *c)
{
	struct slot *s = &w->arena->slot[k];
	struct slot_counters
	    *count = &s->count[worker_handler(w, c)->number % SERVICE_NUMBERS];

	atomic_store(&count->rx, s->op.rx + (c->rx - s->op.base));
	atomic_store(&count->tx, s->op.tx + (c->tx - s->op.sent));
}

/* The connection that was being served.  It is closed if its input killed the
 * worker, or if memory is short (`shed`); else it goes on. */
static void
recover_take_doubtful(struct worker *w, unsigned k, int fd, bool shed,
    struct recovered *r)
{
	struct slot *s = &w->arena->slot[k];
	struct connection *c = worker_connection(w, fd);
	int fault = atomic_load(&s->fault);
	bool good;

	if (connection_owner(c) != owner_word(CONN_OPEN, k))
		return;
	if (k == w->number)
		slices_count(&w->slices, c, fd);
	good = fault == 0 && !shed && recover_settle(w, k, fd);
	recover_count_bytes(w, k, c);
	if (good)
		return; /* recover_go_on() does the rest */
	if (fault != 0)
		log_warnx("%s closed: its input to handler %s %s worker %u "
			  "(%s); %llu bytes in, %llu out",
		    worker_client_name(w, c), step_handler_name(w, c),
		    fault == FAULT_HUNG ? "hung" : "crashed", k,
		    fault == FAULT_HUNG ? "watchdog" : signals_name(fault),
		    (unsigned long long)c->rx, (unsigned long long)c->tx);
	/* It stays slot k's until it is CLOSING.  If it were OPEN by us and
	 * we died, our successor would not know that it is in doubt. */
	if (k != w->number) {
		slices_mark(&w->slices, fd);
		recover_count_from(w, k, fd);
	}
	recover_give_up(w, fd,
	    fault != 0 ? CLOSE_FAULT
		: shed ? CLOSE_MEMORY
		       : CLOSE_RESET,
	    0);
	r->closed++;
}

/* The worker of slot `k` was in an operation: settle it.  Returns the
 * connection that it served, -1 if it served none. */
static int
recover_operation(struct worker *w, unsigned k, bool shed, struct recovered *r)
{
	struct slot *s = &w->arena->slot[k];
	uint32_t kind = atomic_load(&s->op.kind), theirs = k + 1;
	int fd = kind == OP_SERVE ? s->op.fd : -1;

	counting_undo(w, k);
	atomic_compare_exchange_strong(&w->arena->header->admission, &theirs,
	    0);
	atomic_store(&s->active, 0);
	atomic_store(&s->inflight, 0);
	if (fd < 0 || (uint32_t)fd >= arena_descriptors(w->arena))
		fd = -1;
	else
		recover_take_doubtful(w, k, fd, shed, r);
	/* It may have died between accept4(2) and the record. */
	if (kind == OP_ACCEPT || atomic_load(&s->lost) != 0) {
		atomic_store(&w->slot->lost, 1);
		slices_search(&w->slices);
		timer_set(&w->timers, TIMER_RECOVERY, 0);
	}
	/* A reservation of the dead worker is not redeemed any more. */
	siblings_wake_reserved(&w->siblings);
	return fd;
}

/* The operation is settled; this worker may name its own now. */
static void
recover_clear(struct slot *s)
{
	store_barrier();
	atomic_store(&s->op.kind, OP_NONE);
	atomic_store(&s->fault, 0);
}

static void
recover_shed(struct worker *w, struct slot *s, struct recovered *r)
{
	unsigned n = memory_shed(w);

	log_warnx("memory is short: %u clients closed that held much", n);
	r->kept -= n < r->kept ? n : r->kept;
	r->closed += n;
	atomic_store(&s->shed, 0);
}

/* w->visit */
static bool
recover_visit(struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);
	const uint32_t ours = owner_word(CONN_OPEN, w->number);

	if (connection_owner(c) == ours)
		slices_count(&w->slices, c, fd);
	else
		slices_mark(&w->slices, fd);
	recover_record(w, w->number, fd, &w->slices.result);
	return connection_owner(c) == ours;
}

int
recover_begin(struct worker *w)
{
	struct slot *s = w->slot;
	bool shed = atomic_load(&s->shed) != 0;
	int doubtful;

	if (slices_begin(&w->slices, w->arena, s) == -1)
		return -1;
	w->visit = recover_visit;
	doubtful = recover_operation(w, w->number, shed, &w->slices.result);
	recover_clear(s);
	if (shed)
		recover_shed(w, s, &w->slices.result);
	/* Clients that wait come first. */
	timer_set(&w->timers, TIMER_RECOVERY, clock_ms() + 1);
	/* Its client waits, and its event may be gone. */
	if (doubtful != -1 &&
	    connection_owner(worker_connection(w, doubtful)) ==
		owner_word(CONN_OPEN, w->number))
		recover_go_on(w, doubtful, &w->slices.result);
	return 0;
}

/* Look at one record or descriptor.  Returns false if there is none left. */
static bool
recover_one(struct worker *w)
{
	struct slices *s = &w->slices;

	if (s->visited != NULL) {
		if (s->next < s->end)
			(void)visit_record(w, (int)s->next++);
		else
			slices_end(s, w->slot);
	} else if (s->searching) {
		int fd = (int)s->next_socket++;

		if ((unsigned)fd >= arena_descriptors(w->arena)) {
			s->searching = false;
			atomic_store(&w->slot->lost, 0);
		} else if (lost_sockets_claim(w, fd))
			recover_enter(w, fd, &s->result);
	}
	return slices_are_left(s);
}

bool
recover_slice(struct worker *w)
{
	uint64_t until = clock_us() + SLICE_US;
	bool left;

	do {
		left = slices_are_left(&w->slices);
		for (unsigned n = 0; left && n < SLICE_RECORDS; n++)
			left = recover_one(w);
	} while (left && clock_us() < until);
	if (left)
		timer_set(&w->timers, TIMER_RECOVERY, 0);
	return left;
}

/* Count the connections of slot `k` anew: a death may have left the sums
 * wrong. */
static void
recover_count_anew(const struct worker *w, unsigned k)
{
	struct slot *s = &w->arena->slot[k];
	uint32_t held = 0;

	atomic_store(&s->blocks, 0);
	for (int fd = arena_next(w->arena, k, 0); fd != -1;
	     fd = arena_next(w->arena, k, fd + 1)) {
		window_add(s, worker_connection(w, fd));
		held++;
	}
	atomic_store(&s->held, held);
}

struct recovered
recover_adopt(struct worker *w, unsigned k)
{
	struct slot *s = &w->arena->slot[k];
	bool shed = atomic_load(&s->shed) != 0;
	struct recovered r = { 0, 0 };

	recover_count_anew(w, k);
	(void)recover_operation(w, k, shed, &r);
	for (int fd = 0; fd < (int)arena_end(w->arena); fd++)
		recover_record(w, k, fd, &r);
	recover_clear(s);
	atomic_store(&s->lost, 0); /* our own word says it */
	if (shed)
		recover_shed(w, s, &r);
	return r;
}
