/* SPDX-License-Identifier: ISC */
/*
 * What the three modes (closed loop, open loop, churn) send next, and what
 * they count and measure of what comes back.
 */
#include <sys/epoll.h>

#include "echoload_client.h"

bool
mode_is_outstanding(const struct connection *c)
{
	return c->state == OPEN && c->got < c->goal;
}

uint64_t
mode_due(const struct client *t, uint64_t number)
{
	double stagger = (double)t->number / t->o->threads;

	return t->run->start + (uint64_t)(((double)number + stagger) * t->step);
}

/* `n` messages have come back; their latencies are counted elsewhere. */
static void
count(struct client *t, struct connection *c, uint64_t n, uint64_t bytes,
    uint64_t now)
{
	if (now < t->begin || now >= t->end)
		return;
	c->messages += n;
	t->result.messages += n;
	t->result.bytes += bytes;
}

/* One latency, if the wait was over within the period or after it. */
static void
measure(struct client *t, uint64_t from, uint64_t now)
{
	if (now >= t->begin && from < t->end)
		hist_add(&t->result.latency, now - from);
}

/* Closed loop: the next burst, unless it is over. */
static void
begin_burst(struct client *t, struct connection *c, uint64_t now)
{
	if (t->stopped || now >= t->end)
		return;
	c->began = now;
	c->goal += t->o->size * t->o->pipeline;
	connection_send(t, c, now);
}

void
mode_set_going(struct client *t, struct connection *c, uint64_t now)
{
	if (c->state == CONNECTING) {
		c->state = OPEN;
		t->connecting--;
		t->established++;
		t->connected = c->moved = now;
	}
	if (!t->running || c->idle)
		connection_watch(t, c, EPOLLIN);
	else if (t->o->rate > 0)
		connection_send(t, c, now);
	else
		begin_burst(t, c, now);
}

/* Open loop: latency runs from the moment a message was due. */
static void
count_open(struct client *t, struct connection *c, uint64_t before,
    uint64_t now)
{
	const uint64_t size = t->o->size;
	const uint64_t number = (uint64_t)(c - t->connections);
	uint64_t k = before / size, from;

	for (; k < c->got / size; k++) {
		from = mode_due(t, k * t->active + number);
		if (from >= t->begin)
			measure(t, from, now);
		count(t, c, 1, size, now);
	}
}

void
mode_receive(struct client *t, struct connection *c)
{
	const struct options *o = t->o;
	uint64_t before = c->got, now;

	if (!connection_receive(t, c))
		return;
	now = now_ns();
	c->moved = now;
	if (o->rate > 0) {
		count_open(t, c, before, now);
		return;
	}
	if (c->got < c->goal)
		return;
	if (o->churn) {
		connection_close(t, c);
		now = now_ns();
	}
	measure(t, c->began, now);
	count(t, c, o->pipeline, o->pipeline * o->size, now);
	if (!o->churn)
		begin_burst(t, c, now);
	else if (!t->stopped && now < t->end)
		connection_open(t, c, now);
}

/* First marked, then sent: what is late on one connection goes in one piece. */
void
mode_keep_schedule(struct client *t, uint64_t now)
{
	unsigned marked = 0;
	struct connection *c;
	uint64_t when;

	for (;; t->next++) {
		when = mode_due(t, t->next);
		if (when > now || when >= t->end)
			break;
		c = &t->connections[t->next % t->active];
		c->goal += t->o->size;
		if (when >= t->begin)
			t->result.due++;
		if (!c->marked)
			t->marked[marked++] = c;
		c->marked = true;
	}
	for (unsigned i = 0; i < marked; i++) {
		c = t->marked[i];
		c->marked = false;
		/* Who waits for room sends all of it then. */
		if (c->state == OPEN && (c->watched & EPOLLOUT) == 0)
			connection_send(t, c, now);
	}
}

void
mode_count_unanswered(struct client *t, const struct connection *c,
    uint64_t now)
{
	uint64_t k, from, number = (uint64_t)(c - t->connections);

	if (t->o->rate == 0) {
		t->result.unanswered += t->o->pipeline;
		measure(t, c->began, now);
		return;
	}
	for (k = c->got / t->o->size; k < c->goal / t->o->size; k++) {
		from = mode_due(t, k * t->active + number);
		if (from < t->begin)
			continue;
		t->result.unanswered++;
		measure(t, from, now);
	}
}
