/* SPDX-License-Identifier: ISC */
/*
 * The stop of a worker: everything received is echoed, then all is closed.
 */
#include "worker/connection/drain.h"

#include "lib/clock.h"
#include "worker/balance/handoff.h"
#include "worker/connection/accept.h"
#include "worker/connection/close.h"
#include "worker/connection/serve.h"
#include "worker/connection/tcp_info.h"
#include "worker/events.h"
#include "worker/memory.h"

/* A client that sent nothing for so long is not about to, ms. */
#define IDLE_SILENCE 1000
/* A client that was told FIN and stays silent so long has nothing more to
 * say, ms (Apache httpd's lingering close waits as long). */
#define LINGER_SILENCE 2000
/* How often the connections are looked through, ms. */
#define SWEEP 100

/* Empty the accept queues: clients that had connected before the stop are
 * answered. */
static void
drain_take_queues(struct worker *w)
{
	for (unsigned i = 0; i < arena_listeners(w->arena); i++) {
		if ((w->shut & 1U << i) != 0)
			continue;
		if (!accept_queue(w, i, true)) {
			events_listen(w, false);
			return;
		}
		events_shut(w, i);
	}
	w->accept_at = CLOCK_NEVER;
}

static void
drain_finish_one(struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);

	/* With echoes that it has not acknowledged it is not done. */
	if (connection_pending(c) == 0 && tcp_info_unread(fd) == 0 &&
	    tcp_info_unacknowledged(fd) == 0 &&
	    tcp_info_silence(fd) > IDLE_SILENCE)
		close_connection(w, fd, CLOSE_DRAINED, 0);
	else
		serve_finish(w, fd);
}

/* The client has all of it and has said nothing since. */
static bool
drain_lingered(const struct connection *c, int fd, uint64_t now)
{
	return c->phase == PHASE_LINGERING &&
	    now - c->quiet_since >= LINGER_SILENCE &&
	    tcp_info_unacknowledged(fd) == 0;
}

static void
drain_cut_one(struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);
	size_t lost = connection_pending(c) + tcp_info_unread(fd) +
	    tcp_info_unacknowledged(fd);

	if (lost == 0) {
		close_connection(w, fd, CLOSE_DRAINED, 0);
		return;
	}
	counter_add(&w->slot->count.bytes_cut, lost);
	close_connection(w, fd, CLOSE_CUT, 0);
}

static void
drain_sweep(struct worker *w, uint64_t now)
{
	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	     fd = arena_next(w->arena, w->number, fd + 1)) {
		const struct connection *c = worker_connection(w, fd);

		if (now >= w->deadline)
			drain_cut_one(w, fd);
		else if (c->phase == PHASE_SERVING)
			drain_finish_one(w, fd);
		else if (drain_lingered(c, fd, now))
			close_connection(w, fd, CLOSE_DRAINED, 0);
	}
}

void
drain_begin(struct worker *w)
{
	w->draining = true;
	memory_relieve(w);
	w->sweep_at = 0;
	if (!w->listening)
		events_listen(w, true);
	w->accept_at = 0;
}

bool
drain_step(struct worker *w)
{
	uint64_t now = clock_ms();

	w->deadline = arena_stop_deadline(w->arena);
	handoff_accept(w);
	if (now >= w->accept_at && now < w->deadline) {
		if (!w->listening)
			events_listen(w, true);
		drain_take_queues(w);
		w->sweep_at = now;
	}
	if (now >= w->sweep_at || now >= w->deadline) {
		drain_sweep(w, now);
		w->sweep_at = now + SWEEP;
	}
	return atomic_load(&w->slot->held) == 0 &&
	    ((w->accept_at == CLOCK_NEVER && w->offers_at == CLOCK_NEVER) ||
		now >= w->deadline);
}
