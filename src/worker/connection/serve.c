/* SPDX-License-Identifier: ISC */
/*
 * Serving one connection: receive, call the handler, send.
 *
 * One echo costs one recv(2) and one send(2).  While nothing is pending, the
 * slot's scratch buffer is used and nothing is copied.  Bytes that cannot be
 * settled at once (the start of a line, a reply that the client does not read)
 * are first copied to the connection's spill window; then CONN_SPILLED says
 * that they are there.
 */
#include "worker/connection/serve.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "handler/handler.h"
#include "lib/clock.h"
#include "worker/connection/close.h"
#include "worker/connection/header.h"
#include "worker/connection/socket_error.h"
#include "worker/connection/tcp_info.h"
#include "worker/connection/window.h"
#include "worker/memory.h"

static char *
serve_at(const struct serve_view *v, uint64_t position)
{
	return v->mem + (position - v->base);
}

static struct serve_view
serve_window_view(const struct worker *w, int fd, const struct connection *c)
{
	return (
	    struct serve_view){ arena_window(w->arena, fd), c->window_base };
}

static void
serve_begin(struct worker *w, int fd, uint64_t base)
{
	struct operation *op = &w->slot->op;

	op->fd = fd;
	op->base = base;
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

/* Send the unsent bytes. */
static enum serve_progress
serve_flush(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v)
{
	size_t unsent = connection_unsent(c);
	ssize_t n;

	if (unsent == 0)
		return SERVE_SETTLED;
	n = send(fd, serve_at(v, connection_cursor(c)), unsent,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1) {
		if (socket_error_passes(w, c, "send to"))
			return SERVE_BLOCKED;
		socket_error_close(w, fd, errno);
		return SERVE_CLOSED;
	}
	w->moved++;
	c->tx += (uint64_t)n;
	counter_add(&w->slot->count.tx, (uint64_t)n);
	counter_add(&w->slot->count.echoes, 1);
	return (size_t)n == unsent ? SERVE_SETTLED : SERVE_BLOCKED;
}

/* The order matters: a successor would send dropped bytes that look
 * released. */
static void
serve_drop(struct connection *c, size_t bytes)
{
	c->dropped += bytes;
	store_barrier();
	c->ready = connection_cursor(c);
}

/* Call the handler for the bytes that are pending and not released yet. */
static struct result
serve_step(const struct connection *c, const struct serve_view *v, size_t fresh)
{
	const struct handler *h = handler_of(c->handler);
	const char *in = serve_at(v, connection_cursor(c));
	size_t len = connection_pending(c);
	struct result r;

	if ((c->flags & CONN_EOF) == 0 &&
	    (c->phase != PHASE_FINISHING || c->rx < c->limit))
		return h->data(in, len, fresh < len ? fresh : len,
		    SPILL_LINE - len);
	r = h->eof(in, len);
	if (r.action == HOLD)
		r = (struct result){ DROP, len };
	return r;
}

/* Remove the PROXY header from the beginning of the input.  SERVE_BLOCKED if
 * the header is not whole. */
static enum serve_progress
serve_take_header(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v)
{
	enum header_result r;
	size_t bytes;

	if (connection_pending(c) == 0)
		return connection_at_end(c) ? SERVE_SETTLED : SERVE_BLOCKED;
	r = header_step(w, fd, serve_at(v, 0), connection_pending(c),
	    connection_at_end(c), &bytes);
	if (r == HEADER_MORE)
		return SERVE_BLOCKED;
	if (r != HEADER_GO) {
		close_connection(w, fd,
		    r == HEADER_LIMIT ? CLOSE_LIMIT : CLOSE_DENIED, 0);
		return SERVE_CLOSED;
	}
	/* The address is stored before the header is removed. */
	store_barrier();
	serve_drop(c, bytes);
	store_barrier();
	c->flags &= (uint8_t)~CONN_HEADER;
	return SERVE_SETTLED;
}

enum serve_progress
serve_settle(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v, size_t fresh)
{
	enum serve_progress p = serve_flush(w, fd, c, v);

	if (p == SERVE_SETTLED && connection_awaits_header(c)) {
		p = serve_take_header(w, fd, c, v);
		/* The handler has not seen the bytes behind the header. */
		fresh = connection_pending(c);
	}
	while (p == SERVE_SETTLED && connection_pending(c) > 0) {
		struct result r = serve_step(c, v, fresh);

		fresh = 0;
		if (r.action == HOLD)
			break;
		if (r.action == DROP)
			serve_drop(c, r.bytes);
		else {
			c->ready += r.bytes;
			p = serve_flush(w, fd, c, v);
		}
	}
	return p;
}

/* Copy the pending bytes in scratch to the connection's window. */
static void
serve_spill(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v)
{
	uint64_t cursor = connection_cursor(c);

	if (c->rx == cursor)
		return;
	/* The pages are counted before they exist: a death between the two
	 * must not lose them. */
	memory_took(w, fd, connection_pending(c));
	/* Data first, then the flag that says where the data is. */
	memcpy(arena_window(w->arena, fd), serve_at(v, cursor),
	    connection_pending(c));
	c->window_base = cursor;
	store_barrier();
	c->flags |= CONN_SPILLED;
}

/* Make room for SPILL_LINE pending bytes in the window; if memory is full, as
 * much room as there is without more pages. */
static void
serve_make_room(const struct worker *w, int fd, struct connection *c)
{
	char *window = arena_window(w->arena, fd);
	uint64_t cursor = connection_cursor(c);
	size_t offset = (size_t)(cursor - c->window_base);

	/* Pending bytes begin in the second half and take at most half a
	 * window: source and destination do not overlap. */
	if (offset <= (w->memory_full ? connection_pending(c) : SPILL_LINE))
		return;
	memcpy(window, window + offset, connection_pending(c));
	store_barrier();
	c->window_base = cursor;
}

/* All input is settled: end the connection. */
static void
serve_shut(struct worker *w, int fd, struct connection *c)
{
	if ((c->flags & CONN_EOF) != 0) {
		close_connection(w, fd,
		    c->phase == PHASE_SERVING ? CLOSE_EOF : CLOSE_DRAINED, 0);
		return;
	}
	/* If the socket were closed now, input that still arrives would cause
	 * a RST, which destroys echoes on their way.  So send a FIN and wait
	 * for the client's. */
	if (shutdown(fd, SHUT_WR) == -1) {
		/* A worker that died has done this before, and the client's
		 * FIN has arrived since: both sides are closed. */
		if (errno == ENOTCONN)
			close_connection(w, fd, CLOSE_DRAINED, 0);
		else
			socket_error_close(w, fd, errno);
		return;
	}
	c->quiet_since = clock_ms();
	store_barrier();
	c->phase = PHASE_LINGERING;
	events_update(&w->events, fd);
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
		counter_add(&w->slot->count.rx, (uint64_t)n);
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

static void
serve_scratch(struct worker *w, int fd, struct connection *c)
{
	struct serve_view v = { w->scratch, c->rx };
	enum serve_progress p = SERVE_SETTLED;
	ssize_t n;

	serve_begin(w, fd, v.base);
	n = serve_receive(w, fd, c, v.mem,
	    w->memory_full ? SPILL_BLOCK : SCRATCH_BYTES);
	if (n > 0)
		p = serve_settle(w, fd, c, &v, (size_t)n);
	if (n == -1 || p == SERVE_CLOSED)
		return;
	serve_spill(w, fd, c, &v);
	serve_end(w);
	if (connection_at_end(c) && connection_pending(c) == 0)
		serve_shut(w, fd, c);
	else if (p == SERVE_BLOCKED)
		events_update(&w->events, fd);
}

static void
serve_window(struct worker *w, int fd, struct connection *c, uint32_t revents)
{
	struct serve_view v;
	enum serve_progress p;
	size_t fresh;
	ssize_t n = 0;

	serve_begin(w, fd, 0);
	fresh = connection_pending(c);
	if (connection_unsent(c) == 0 && !connection_at_end(c) &&
	    (revents & ~(uint32_t)EPOLLOUT) != 0) {
		size_t room = SPILL_LINE - connection_pending(c);

		serve_make_room(w, fd, c);
		if (w->memory_full && window_room(c) < room)
			room = window_room(c);
		if (room == 0) {
			serve_end(w);
			memory_pause(w, fd, revents);
			return;
		}
		v = serve_window_view(w, fd, c);
		n = serve_receive(w, fd, c, serve_at(&v, c->rx), room);
		fresh = (size_t)n;
	}
	v = serve_window_view(w, fd, c);
	if (n != -1)
		memory_took(w, fd, (size_t)(c->rx - c->window_base));
	p = n == -1 ? SERVE_CLOSED : serve_settle(w, fd, c, &v, fresh);
	if (p == SERVE_CLOSED)
		return;
	if (connection_pending(c) == 0)
		c->flags &= (uint8_t)~CONN_SPILLED;
	serve_end(w);
	if (connection_at_end(c) && connection_pending(c) == 0)
		serve_shut(w, fd, c);
	else
		events_update(&w->events, fd);
}

/* Receive and drop until the client's FIN. */
static void
serve_linger(struct worker *w, int fd, struct connection *c)
{
	ssize_t n;

	serve_begin(w, fd, c->rx);
	n = serve_receive(w, fd, c, w->scratch, SCRATCH_BYTES);
	if (n == -1)
		return;
	if (n > 0) {
		serve_drop(c, (size_t)n);
		c->quiet_since = clock_ms();
	}
	serve_end(w);
	if ((c->flags & CONN_EOF) != 0)
		close_connection(w, fd, CLOSE_DRAINED, 0);
}

void
serve(struct worker *w, int fd, uint32_t events)
{
	struct connection *c = worker_connection(w, fd);

	if (c->phase == PHASE_LINGERING)
		serve_linger(w, fd, c);
	else if ((c->flags & CONN_SPILLED) != 0)
		serve_window(w, fd, c, events);
	else
		serve_scratch(w, fd, c);
}

void
serve_event(struct worker *w, int fd, uint32_t events)
{
	if (connection_owner(worker_connection(w, fd)) !=
	    owner_word(CONN_OPEN, w->number))
		events_disown(&w->events, fd);
	/* A connection that was not active may be a former worker's that
	 * recovery was kept from finding. */
	else if (active_touch(&w->active, fd) && !worker_can_serve(w, fd))
		close_connection(w, fd, CLOSE_ERROR, EOWNERDEAD);
	else
		serve(w, fd, events);
}

void
serve_resume(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	if (c->phase == PHASE_LINGERING)
		return;
	if ((c->flags & CONN_SPILLED) != 0)
		serve_window(w, fd, c, 0);
	else if (connection_at_end(c))
		serve_shut(w, fd, c);
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
	else if (connection_pending(c) > 0)
		serve_window(w, fd, c, 0);
	else
		serve_shut(w, fd, c);
}
