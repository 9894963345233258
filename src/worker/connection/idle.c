/* SPDX-License-Identifier: ISC */
/*
 * Clients whose time is up.
 *
 * Serving a connection records nothing here: the stream positions tell.  A
 * sweep notes the positions, and a later sweep that finds them unchanged for
 * long enough has found an idle client.  So serving costs nothing more, and a
 * worker without connections is not woken.  A client is closed up to two sweeps
 * late: a quarter of the timeout, two minutes at most.
 *
 * The keepalive of tcp(7) does not check clients that have not acknowledged an
 * echo: the kernel would retransmit for a quarter of an hour (tcp_retries2).
 * TCP_USER_TIMEOUT would shorten that.  But it would also give up clients that
 * are alive and do not read, which they may do as long as they like (RFC 9293,
 * 3.8.6.1).  So a sweep asks the kernel which clients answer nothing.
 */
#include "worker/connection/idle.h"

#include <errno.h>

#include "lib/clock.h"
#include "worker/connection/close.h"
#include "worker/connection/header.h"
#include "worker/connection/serve.h"
#include "worker/connection/socket_error.h"
#include "worker/connection/tcp_info.h"
#include "worker/recovery/visit.h"

/* The most time between two sweeps, ms. */
#define INTERVAL_MAX 60000
/* A sweep is made in slices of so long, us, between which others are served;
 * the time is looked at after so many clients. */
#define SWEEP_US 200
#define SWEEP_CLIENTS 8
/* The least time between two looks for overdue headers, ms. */
#define HEADER_INTERVAL 100

static uint64_t
idle_shorter(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Time between sweeps, ms; 0 if there is nothing to look for. */
static uint64_t
idle_interval(const struct worker *w)
{
	uint64_t ms = 0;

	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		const struct service_config *c = w->handler[i].service;

		if (c == NULL)
			continue;
		ms = idle_shorter(ms, (uint64_t)c->timeout * 1000 / 8);
		ms = idle_shorter(ms, (uint64_t)c->tcp_keepalive * 1000 / 3);
	}
	return ms > INTERVAL_MAX ? INTERVAL_MAX : ms;
}

void
idle_begin(struct worker *w)
{
	if (idle_interval(w) != 0)
		timer_set(&w->timers, TIMER_IDLE, 0);
	timer_set(&w->timers, TIMER_HEADERS, 0);
}

/* A worker without connections is not woken. */
void
idle_round(struct worker *w)
{
	if (atomic_load_explicit(&w->slot->held, memory_order_relaxed) == 0 ||
	    w->draining)
		timer_clear(&w->timers, TIMER_IDLE);
	else if (!timer_is_set(&w->timers, TIMER_IDLE) && idle_interval(w) != 0)
		timer_set(&w->timers, TIMER_IDLE,
		    clock_ms() + idle_interval(w));
}

/* True as soon as keepalive would give up a silent client: the first probe is
 * sent after tcp-keepalive, and three more after a third of it each. */
static bool
idle_is_gone(const struct worker *w, int fd)
{
	uint32_t limit = worker_service(w, worker_connection(w, fd))
			     ->tcp_keepalive *
	    2000;

	return limit != 0 && tcp_info_unacknowledged(fd) > 0 &&
	    tcp_info_unanswered(fd) >= limit;
}

static bool
idle_is_idle(const struct worker *w, int fd, struct connection *c, uint32_t now)
{
	if (worker_service(w, c)->timeout == 0)
		return false;
	if (c->rx + c->tx != c->idle_mark) {
		c->idle_mark = c->rx + c->tx;
		c->idle_since = now;
		return false;
	}
	return now - c->idle_since >= worker_service(w, c)->timeout * 10 &&
	    tcp_info_unread(fd) == 0; /* else this worker is late */
}

void
idle_sweep(struct worker *w)
{
	uint32_t now = (uint32_t)(clock_ms() / 100);
	uint64_t until = clock_us() + SWEEP_US;
	unsigned n = 0;

	for (int fd = arena_next(w->arena, w->number, w->idle_next); fd != -1;
	     fd = arena_next(w->arena, w->number, fd + 1)) {
		if (++n % SWEEP_CLIENTS == 0 && clock_us() >= until) {
			w->idle_next = fd;
			timer_set(&w->timers, TIMER_IDLE, 0);
			return;
		}
		if (idle_is_gone(w, fd))
			socket_error_close(w, fd, ETIMEDOUT);
		else if (idle_is_idle(w, fd, worker_connection(w, fd), now))
			close_connection(w, fd, CLOSE_IDLE, 0);
	}
	w->idle_next = 0;
}

static bool
idle_awaits_header(const struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);

	return connection_owner(c) == owner_word(CONN_OPEN, w->number) &&
	    c->phase == PHASE_SERVING && connection_awaits_header(c);
}

static void
idle_end_wait(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);
	enum header_result r;

	/* Input that has arrived counts: this worker may be late. */
	(void)active_touch(&w->active, fd);
	serve(w, fd, EPOLLIN);
	if (!idle_awaits_header(w, fd) || connection_pending(c) > 0 ||
	    !header_is_due(w, c))
		return;
	r = header_give_up(w, fd);
	if (r == HEADER_GO) {
		c->flags &= (uint8_t)~CONN_HEADER;
		serve_resume(w, fd);
	} else
		close_connection(w, fd,
		    r == HEADER_LIMIT ? CLOSE_LIMIT : CLOSE_DENIED, 0);
}

void
idle_headers(struct worker *w)
{
	uint64_t next = CLOCK_NEVER;

	for (int fd = visit_next(w, 0); fd != -1; fd = visit_next(w, fd + 1)) {
		const struct connection *c = worker_connection(w, fd);

		if (idle_awaits_header(w, fd) && header_is_due(w, c) &&
		    worker_can_serve(w, fd))
			idle_end_wait(w, fd);
		if (idle_awaits_header(w, fd))
			next = clock_earlier(next, header_deadline(w, c));
	}
	if (next != CLOCK_NEVER && next < clock_ms() + HEADER_INTERVAL)
		next = clock_ms() + HEADER_INTERVAL;
	timer_set(&w->timers, TIMER_HEADERS, next);
}
