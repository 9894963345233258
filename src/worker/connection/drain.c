/* SPDX-License-Identifier: ISC */
/*
 * The stop of a worker.
 */
#include "worker/connection/drain.h"

#include "lib/clock.h"
#include "worker/balance/handoff.h"
#include "worker/connection/accept.h"
#include "worker/connection/close.h"
#include "worker/connection/serve.h"
#include "worker/connection/tcp_info.h"
#include "worker/memory.h"
#include "worker/recovery/visit.h"

/* A client that sent nothing for so long is not about to, ms. */
#define IDLE_SILENCE 1000
/* How long after the deadline of a removed service its connections are still
 * looked for, ms. */
#define DEADLINE_MARGIN 1000
/* Time between two looks at all connections, ms. */
#define SWEEP_MS 100

/* Empty the accept queues: clients that connected before the stop are
 * answered. */
static void
drain_take_queues(struct worker *w)
{
	for (unsigned i = 0; i < arena_listeners(w->arena); i++) {
		if (events_is_shut(&w->events, i))
			continue;
		if (!accept_queue(w, i, true))
			return;
		events_shut(&w->events, i);
	}
}

static bool
drain_has_queues(const struct worker *w)
{
	for (unsigned i = 0; i < arena_listeners(w->arena); i++)
		if (!events_is_shut(&w->events, i))
			return true;
	return false;
}

static void
drain_finish_one(struct worker *w, int fd)
{
	const struct connection *c = worker_connection(w, fd);
	uint64_t cookie = c->cookie, sent = c->tx;
	/* A client that has not acknowledged its replies is not finished. */
	bool idle = connection_pending(c) == 0 && tcp_info_unread(fd) == 0 &&
	    tcp_info_unacknowledged(fd) == 0 &&
	    tcp_info_silence(fd) > IDLE_SILENCE;

	serve_finish(w, fd);
	/* If its handler had nothing to say, either, there is nothing to wait
	 * for. */
	if (idle && connection_owner(c) == owner_word(CONN_OPEN, w->number) &&
	    c->cookie == cookie && c->tx == sent && c->phase == PHASE_LINGERING)
		close_connection(w, fd, CLOSE_DRAINED, 0);
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
	counter_add(&worker_count(w, c)->bytes_cut, lost);
	close_connection(w, fd, CLOSE_CUT, 0);
}

static void
drain_look(struct worker *w, int fd, uint64_t now, uint64_t deadline)
{
	if (now >= deadline)
		drain_cut_one(w, fd);
	else if (worker_connection(w, fd)->phase == PHASE_SERVING)
		drain_finish_one(w, fd);
	else if (serve_has_lingered(w, fd, now))
		close_connection(w, fd, CLOSE_DRAINED, 0);
}

static void
drain_sweep(struct worker *w, uint64_t now, uint64_t deadline)
{
	for (int fd = visit_next(w, 0); fd != -1; fd = visit_next(w, fd + 1))
		drain_look(w, fd, now, deadline);
}

void
drain_removed(struct worker *w)
{
	uint64_t now = clock_ms(), last = 0;

	if (w->draining)
		return;
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if (w->handler[i].deadline > last)
			last = w->handler[i].deadline;
	if (last == 0)
		return;
	for (int fd = visit_next(w, 0); fd != -1; fd = visit_next(w, fd + 1)) {
		uint64_t deadline = worker_handler(w, worker_connection(w, fd))
					->deadline;

		if (deadline != 0)
			drain_look(w, fd, now, deadline);
	}
	/* A sibling may hand one off until it has noticed. */
	if (now < last + DEADLINE_MARGIN)
		timer_set(&w->timers, TIMER_REMOVED, now + SWEEP_MS);
}

void
drain_begin(struct worker *w)
{
	w->draining = true;
	memory_relieve(w);
	/* drain_step() empties the queues itself, without events. */
	events_listen(&w->events, false);
	timer_clear(&w->timers, TIMER_HEADERS);
	timer_set(&w->timers, TIMER_DRAIN, 0);
}

bool
drain_step(struct worker *w)
{
	uint64_t now = clock_ms(), deadline = arena_stop_deadline(w->arena);

	handoff_accept(w);
	timer_sooner(&w->timers, TIMER_DRAIN, deadline);
	if (timer_take(&w->timers, TIMER_DRAIN, now)) {
		if (now < deadline)
			drain_take_queues(w);
		drain_sweep(w, now, deadline);
		timer_set(&w->timers, TIMER_DRAIN, now + SWEEP_MS);
	}
	/* `held` is right when all records are visited. */
	return !slices_are_left(&w->slices) &&
	    atomic_load(&w->slot->held) == 0 &&
	    (now >= deadline ||
		(!drain_has_queues(w) &&
		    !timer_is_set(&w->timers, TIMER_WITHDRAW)));
}
