/* SPDX-License-Identifier: ISC */
/*
 * Serving one connection: receive, let the handler make steps, send.
 *
 * One echo costs one recv(2) and one send(2).  While nothing is kept or unsent,
 * the slot's scratch buffers are used and nothing is copied.  Input that the
 * handler leaves (the start of a line) and output that the client does not read
 * are copied to the connection's windows at the end of the operation; then
 * CONN_SPILLED and CONN_OUTPUT say that they are there.
 */
#include "worker/connection/serve.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "worker/connection/close.h"
#include "worker/connection/header.h"
#include "worker/connection/socket_error.h"
#include "worker/connection/tcp_info.h"
#include "worker/connection/window.h"
#include "worker/memory.h"
#include "worker/recovery/visit.h"

/* Steps of a connection in a row before the others have their turn. */
#define STEPS_MAX 16
/* A client that received FIN and stays silent for so long has nothing more to
 * say, ms (the lingering close of Apache httpd waits as long).  A client that
 * goes on talking is not listened to for longer than this. */
#define LINGER_SILENCE 2000
#define LINGER_MOST 30000

static char *
serve_at(const struct serve_view *v, uint64_t position)
{
	return v->mem + (position - v->base);
}

/* Where the kept input and the unsent output are, or will be: `base` is that of
 * scratch. */
static struct serve_view
serve_view(const struct worker *w, int fd, const struct connection *c,
    uint64_t base)
{
	struct serve_view v = { w->scratch, base,
		arena_scratch_output(w->arena, w->number) };

	if ((c->flags & CONN_SPILLED) != 0) {
		v.mem = arena_window(w->arena, fd);
		v.base = c->window_base;
	}
	if ((c->flags & CONN_OUTPUT) != 0)
		v.out = arena_output(w->arena, fd);
	return v;
}

static void
serve_begin(struct worker *w, int fd, uint64_t base)
{
	struct operation *op = &w->slot->op;
	const struct connection *c = worker_connection(w, fd);
	const struct slot_counters *count = worker_count(w, c);

	op->fd = fd;
	op->base = base;
	op->sent = c->tx;
	op->rx = atomic_load_explicit(&count->rx, memory_order_relaxed);
	op->tx = atomic_load_explicit(&count->tx, memory_order_relaxed);
	store_barrier();
	atomic_store_explicit(&op->kind, OP_SERVE, memory_order_relaxed);
	store_barrier();
}

static void
serve_end(struct worker *w)
{
	store_barrier();
	atomic_store_explicit(&w->slot->op.kind, OP_NONE, memory_order_relaxed);
}

/* Send one part of the output.  `more`: another part follows at once. */
static enum serve_progress
serve_send(struct worker *w, int fd, struct connection *c, const char *from,
    size_t bytes, bool more)
{
	ssize_t n = send(fd, from, bytes,
	    MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));

	if (n == -1) {
		if (socket_error_passes(w, c, "send to"))
			return SERVE_BLOCKED;
		socket_error_close(w, fd, errno);
		return SERVE_CLOSED;
	}
	w->moved++;
	c->tx += (uint64_t)n;
	counter_add(&worker_count(w, c)->tx, (uint64_t)n);
	return (size_t)n == bytes ? SERVE_SETTLED : SERVE_BLOCKED;
}

/* Send the unsent output: what the handler has written, then what it has
 * passed. */
static enum serve_progress
serve_flush(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v)
{
	size_t passed = connection_unsent_passed(c);
	size_t written = connection_unsent(c) - passed;
	enum serve_progress p = SERVE_SETTLED;

	if (written + passed == 0)
		return SERVE_SETTLED;
	if (written > 0)
		p = serve_send(w, fd, c,
		    v->out + (connection_half(c)->written - written), written,
		    passed > 0);
	if (p == SERVE_SETTLED && passed > 0)
		p = serve_send(w, fd, c, serve_at(v, connection_kept(c)),
		    passed, false);
	if (p != SERVE_CLOSED)
		counter_add(&worker_count(w, c)->echoes, 1);
	return p;
}

/* Remove the PROXY header from the beginning of the input.  SERVE_BLOCKED if
 * the header is not whole. */
static enum serve_progress
serve_take_header(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v)
{
	enum header_result r;
	size_t bytes;

	if (c->rx == 0)
		return SERVE_BLOCKED;
	r = header_step(w, fd, serve_at(v, 0), connection_unconsumed(c),
	    connection_at_end(c), &bytes);
	if (r == HEADER_MORE)
		return SERVE_BLOCKED;
	if (r != HEADER_GO) {
		close_connection(w, fd,
		    r == HEADER_LIMIT ? CLOSE_LIMIT : CLOSE_DENIED, 0);
		return SERVE_CLOSED;
	}
	/* The address is stored before the header is removed. */
	if (bytes > 0)
		step_skip(c, bytes);
	store_barrier();
	c->flags &= (uint8_t)~CONN_HEADER;
	return SERVE_SETTLED;
}

enum serve_progress
serve_settle(struct worker *w, int fd, struct connection *c,
    struct serve_view *v)
{
	enum serve_progress p = serve_flush(w, fd, c, v);

	if (p == SERVE_SETTLED && connection_awaits_header(c))
		p = serve_take_header(w, fd, c, v);
	for (unsigned n = 0; p == SERVE_SETTLED; n++) {
		if (n == STEPS_MAX)
			return SERVE_MORE;
		/* The next output is in scratch. */
		if ((c->flags & CONN_OUTPUT) != 0) {
			c->flags &= (uint8_t)~CONN_OUTPUT;
			store_barrier();
			v->out = arena_scratch_output(w->arena, w->number);
		}
		switch (step_make(w, fd, c, v)) {
		case STEP_NONE:
			return SERVE_SETTLED;
		case STEP_CLOSED:
			return SERVE_CLOSED;
		case STEP_MADE:
			p = serve_flush(w, fd, c, v);
		}
	}
	return p;
}

/* Copy what is kept and unsent in scratch to the connection's windows. */
static void
serve_spill(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v)
{
	uint64_t kept = connection_kept(c);
	size_t input = 0, output = 0, at;
	uint8_t flags = 0;

	if ((c->flags & CONN_SPILLED) == 0)
		input = (size_t)(c->rx - kept);
	if ((c->flags & CONN_OUTPUT) == 0)
		output = connection_unsent_written(c);
	if (input == 0 && output == 0)
		return;
	/* The pages are counted before they exist: a death between the two
	 * must not lose them. */
	memory_took(w, fd, input, output > 0 ? connection_half(c)->written : 0);
	/* Data first, then the flags that say where the data is. */
	if (input > 0) {
		memcpy(arena_window(w->arena, fd), serve_at(v, kept), input);
		c->window_base = kept;
		flags |= CONN_SPILLED;
	}
	if (output > 0) {
		at = connection_half(c)->written - output;
		memcpy(arena_output(w->arena, fd) + at, v->out + at, output);
		flags |= CONN_OUTPUT;
	}
	store_barrier();
	c->flags |= flags;
}

/* A window that has nothing any more is not where the next data goes. */
static void
serve_unspill(struct connection *c)
{
	if ((c->flags & CONN_SPILLED) != 0 && connection_kept(c) == c->rx)
		c->flags &= (uint8_t)~CONN_SPILLED;
	if ((c->flags & CONN_OUTPUT) != 0 && connection_unsent_written(c) == 0)
		c->flags &= (uint8_t)~CONN_OUTPUT;
}

/* Make room for as much input as the handler can leave in the window; if memory
 * is full, as much room as there is without more pages. */
static void
serve_make_room(const struct worker *w, int fd, struct connection *c)
{
	char *window = arena_window(w->arena, fd);
	uint64_t kept = connection_kept(c);
	size_t offset = (size_t)(kept - c->window_base);
	size_t bytes = (size_t)(c->rx - kept);

	/* Kept bytes begin in the second half and take at most half a window:
	 * source and destination do not overlap. */
	if (offset <= (w->memory_full ? bytes : SPILL_LINE))
		return;
	memcpy(window, window + offset, bytes);
	store_barrier();
	c->window_base = kept;
}

/* The handler has finished, and all output is sent: end the connection. */
static void
serve_shut(struct worker *w, int fd, struct connection *c)
{
	bool drained = c->phase != PHASE_SERVING;

	if ((c->flags & CONN_EOF) != 0) {
		close_connection(w, fd, drained ? CLOSE_DRAINED : CLOSE_EOF, 0);
		return;
	}
	/* If the socket were closed now, input that still arrives would cause
	 * a RST, which destroys output on its way.  So send a FIN and wait for
	 * the client's. */
	if (shutdown(fd, SHUT_WR) == -1) {
		/* A worker that died has done this before, and the client's
		 * FIN has arrived since: both sides are closed. */
		if (errno == ENOTCONN)
			close_connection(w, fd,
			    drained ? CLOSE_DRAINED : CLOSE_FINISHED, 0);
		else
			socket_error_close(w, fd, errno);
		return;
	}
	c->quiet_since = clock_ms();
	c->limit = c->quiet_since;
	c->drained = drained;
	store_barrier();
	c->phase = PHASE_LINGERING;
	events_update(&w->events, fd);
	serve_arm(w, fd, LINGER_SILENCE + c->quiet_since);
}

/*
 * Receive up to `room` bytes into `to`.  Returns their number; 0 if there is
 * nothing to receive now, or nothing more ever (CONN_EOF is set then); -1 if
 * the connection is closed.
 */
static ssize_t
serve_receive(struct worker *w, int fd, struct connection *c, char *to,
    size_t room)
{
	ssize_t n;

	if (c->phase == PHASE_FINISHING && c->limit - c->rx < room)
		room = (size_t)(c->limit - c->rx);
	if (room == 0)
		return 0;
	n = recv(fd, to, room, MSG_DONTWAIT);
	if (n > 0) {
		w->moved++;
		c->rx += (uint64_t)n;
		counter_add(&worker_count(w, c)->rx, (uint64_t)n);
		return n;
	}
	if (n == 0) {
		c->flags |= CONN_EOF;
		return 0;
	}
	if (socket_error_passes(w, c, "receive from"))
		return 0;
	socket_error_close(w, fd, errno);
	return -1;
}

/* Receive what the connection has room for.  Returns false if it is closed, or
 * paused because memory is full; then the operation is over. */
static bool
serve_take(struct worker *w, int fd, struct connection *c, struct serve_view *v,
    uint32_t events)
{
	size_t room = step_room(w, c);

	if ((c->flags & CONN_SPILLED) == 0) {
		if (w->memory_full && room > SPILL_BLOCK)
			room = SPILL_BLOCK;
	} else if (room > 0) {
		serve_make_room(w, fd, c);
		v->base = c->window_base;
		if (w->memory_full && window_room(c) < room)
			room = window_room(c);
		if (room == 0 && connection_half(c)->next != ECHOD_AGAIN) {
			serve_end(w);
			memory_pause(w, fd, events);
			return false;
		}
	}
	return serve_receive(w, fd, c, serve_at(v, c->rx), room) != -1;
}

/* True if the connection is at its end, and all output is sent. */
static bool
serve_is_over(const struct connection *c)
{
	return connection_unsent(c) == 0 &&
	    (connection_half(c)->next == ECHOD_FINISH ||
		(connection_awaits_header(c) && connection_at_end(c) &&
		    c->rx == 0));
}

/* The operation is over: what the connection waits for now. */
static void
serve_wait(struct worker *w, int fd, struct connection *c, bool more)
{
	if (serve_is_over(c)) {
		serve_shut(w, fd, c);
		return;
	}
	events_update(&w->events, fd);
	if (connection_unsent(c) > 0)
		return;
	if (more)
		serve_arm(w, fd, 0);
	else if (connection_half(c)->wake != 0)
		serve_arm(w, fd, connection_half(c)->wake);
}

/* Bytes of the input window that are written to. */
static size_t
serve_windowed(const struct connection *c)
{
	return (c->flags & CONN_SPILLED) != 0 ? (size_t)(c->rx - c->window_base)
					      : 0;
}

/* Send, receive if `events` say that there is something, and let the handler
 * make its steps. */
static void
serve_operate(struct worker *w, int fd, struct connection *c, uint32_t events)
{
	struct serve_view v = serve_view(w, fd, c, c->rx);
	enum serve_progress p;

	serve_begin(w, fd, c->rx);
	p = serve_flush(w, fd, c, &v);
	if (p == SERVE_SETTLED && !connection_at_end(c) &&
	    (events & ~(uint32_t)EPOLLOUT) != 0 &&
	    !serve_take(w, fd, c, &v, events))
		return;
	if (p == SERVE_CLOSED)
		return;
	if ((c->flags & (CONN_SPILLED | CONN_OUTPUT)) != 0)
		memory_took(w, fd, serve_windowed(c), 0);
	if (p == SERVE_SETTLED &&
	    (p = serve_settle(w, fd, c, &v)) == SERVE_CLOSED)
		return;
	serve_spill(w, fd, c, &v);
	serve_unspill(c);
	serve_end(w);
	serve_wait(w, fd, c, p == SERVE_MORE);
}

static void
serve_end_linger(struct worker *w, int fd)
{
	close_connection(w, fd,
	    worker_connection(w, fd)->drained != 0 ? CLOSE_DRAINED
						   : CLOSE_FINISHED,
	    0);
}

bool
serve_has_lingered(const struct worker *w, int fd, uint64_t now)
{
	const struct connection *c = worker_connection(w, fd);

	return c->phase == PHASE_LINGERING &&
	    ((now - c->quiet_since >= LINGER_SILENCE &&
		 tcp_info_unacknowledged(fd) == 0) ||
		now - c->limit >= LINGER_MOST);
}

/* Receive and forget until the client's FIN. */
static void
serve_linger(struct worker *w, int fd, struct connection *c)
{
	ssize_t n;

	serve_begin(w, fd, c->rx);
	n = serve_receive(w, fd, c, w->scratch, SCRATCH_BYTES);
	if (n == -1)
		return;
	if (n > 0)
		c->quiet_since = clock_ms();
	serve_end(w);
	if ((c->flags & CONN_EOF) != 0)
		serve_end_linger(w, fd);
}

void
serve(struct worker *w, int fd, uint32_t events)
{
	struct connection *c = worker_connection(w, fd);

	/* A handler that goes on by itself still hears its client. */
	if (connection_half(c)->next == ECHOD_AGAIN)
		events |= EPOLLIN;
	if (c->phase == PHASE_LINGERING)
		serve_linger(w, fd, c);
	else
		serve_operate(w, fd, c, events);
}

void
serve_event(struct worker *w, int fd, uint32_t events)
{
	if (connection_owner(worker_connection(w, fd)) !=
	    owner_word(CONN_OPEN, w->number))
		events_disown(&w->events, fd);
	else if (!visit_record(w, fd))
		return;
	/* A connection that was not active may be a former worker's that
	 * recovery was kept from finding. */
	else if (active_touch(&w->active, fd) && !worker_can_serve(w, fd))
		close_connection(w, fd, CLOSE_ERROR, EOWNERDEAD);
	else
		serve(w, fd, events);
}

void
serve_arm(struct worker *w, int fd, uint64_t at)
{
	if (!wakeups_set(&w->wakeups, fd, at)) {
		close_connection(w, fd, CLOSE_ERROR, ENOMEM);
		return;
	}
	timer_sooner(&w->timers, TIMER_CONNECTIONS, at);
}

/* The time has come that serve_arm() was told, or a later one. */
static void
serve_wake(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if (c->phase != PHASE_LINGERING) {
		(void)active_touch(&w->active, fd);
		serve(w, fd, 0);
	} else if (serve_has_lingered(w, fd, worker_now(w)))
		serve_end_linger(w, fd);
	else
		serve_arm(w, fd,
		    (c->quiet_since + LINGER_SILENCE > worker_now(w)
			    ? c->quiet_since
			    : worker_now(w)) +
			LINGER_SILENCE);
}

void
serve_timers(struct worker *w)
{
	uint64_t now = worker_now(w);
	unsigned n = w->wakeups.count;
	int fd;

	/* Each one once: a connection may be due again at once. */
	while (n-- > 0 && (fd = wakeups_take(&w->wakeups, now)) != -1)
		if (connection_owner(worker_connection(w, fd)) ==
			owner_word(CONN_OPEN, w->number) &&
		    worker_can_serve(w, fd))
			serve_wake(w, fd);
	timer_set(&w->timers, TIMER_CONNECTIONS, wakeups_next(&w->wakeups));
}

void
serve_resume(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if (c->phase == PHASE_LINGERING)
		serve_arm(w, fd, c->quiet_since + LINGER_SILENCE);
	/* No operation after our FIN: the kernel counts it as a byte. */
	else if (serve_is_over(c))
		serve_shut(w, fd, c);
	else if ((c->flags & (CONN_SPILLED | CONN_OUTPUT)) != 0 ||
	    step_is_due(w, c))
		serve_operate(w, fd, c, 0);
	else if (connection_half(c)->wake != 0)
		serve_arm(w, fd, connection_half(c)->wake);
}

void
serve_finish(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);
	size_t unread;

	if (c->phase != PHASE_SERVING)
		return;
	unread = tcp_info_unread(fd);
	c->limit = c->rx + unread;
	store_barrier();
	c->phase = PHASE_FINISHING;
	if (unread > 0)
		events_update(&w->events, fd);
	else
		serve_resume(w, fd);
}
