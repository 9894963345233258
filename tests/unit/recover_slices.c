/* SPDX-License-Identifier: ISC */
/*
 * Recovery in slices: a worker serves before it has looked at what the last one
 * left, and nothing of that is forgotten or counted twice.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler/handler.h"
#include "lib/clock.h"
#include "rig.h"
#include "tap.h"
#include "worker/balance/handoff.h"
#include "worker/connection/close.h"
#include "worker/connection/drain.h"
#include "worker/connection/tcp_info.h"
#include "worker/recovery/visit.h"

/* A successor that has not visited any record. */
static void
begin(void)
{
	worker_up(0);
	if (recover_begin(&rig.w) == -1)
		die("recover_begin");
}

static void
finish(void)
{
	while (recover_slice(&rig.w))
		;
}

static bool
is_visited(const struct pair *p)
{
	return slices_is_visited(&rig.w.slices, p->fd);
}

static void
test_on_demand(void)
{
	struct pair p, q;

	rig_up();
	p = opened();
	q = opened();
	hold(&p, "half", 0);
	begin();
	ok(!is_visited(&p) && !is_visited(&q),
	    "a worker begins without a look at the records");
	say(&p, " a line\n");
	ok(hears(&p, "half a line\n") && is_visited(&p) && !is_visited(&q),
	    "a client that speaks is visited, the other one is not");
	finish();
	ok(rig.w.slices.result.kept == 2 && slot(0)->held == 2 && echoes(&q),
	    "each is visited once");
	rig_down();

	rig_up();
	p = opened();
	q = opened();
	hold(&q, "a line\n", 0);
	name(OP_SERVE, p.fd, 0);
	say(&p, "hello\n");
	take(&p, arena_scratch(&rig.arena, 0), 6);
	begin();
	ok(hears(&p, "hello\n") && !is_visited(&q),
	    "the one in doubt is served before any slice");
	finish();
	ok(hears(&q, "a line\n"),
	    "a line that has no event waits for its slice");
	rig_down();
}

static void
test_counts(void)
{
	struct pair p, q, r;

	rig_up();
	p = opened();
	q = opened();
	hold(&p, "half", 0);
	hold(&q, "half", 0);
	slot(0)->held = 7; /* deaths have left these wrong */
	slot(0)->blocks = 0;
	begin();
	close_connection(&rig.w, p.fd, CLOSE_IDLE, 0);
	r = offered(1, 0);
	arena_handoff(&rig.arena, 0)[r.fd / 64] = UINT64_C(1) << (r.fd % 64);
	handoff_accept(&rig.w);
	ok(slot(0)->held == 7, "until then they are as wrong as before");
	finish();
	ok(slot(0)->held == 2 && slot(0)->blocks == SPILL_BLOCKS,
	    "after the slices `held` and `blocks` are right, with one that was "
	    "closed and one that came meanwhile");
	ok(hears_end(&p) && is_owned(&r, CONN_OPEN, 0), "and both are");
	rig_down();

	rig_up();
	p = opened();
	slot(0)->held = 3;
	begin();
	ok(visit_record(&rig.w, p.fd), "visited");
	begin();
	finish();
	ok(slot(0)->held == 1 && rig.w.slices.result.kept == 1,
	    "a death amid the slices: counted anew, corrected once");
	rig_down();
}

static void
test_lost(void)
{
	struct pair p, q;

	rig_up();
	p = accepted(0);
	name(OP_ACCEPT, 0, 0);
	begin();
	ok(slot(0)->op.kind == OP_NONE && slot(0)->lost == 1 &&
		is_owned(&p, CONN_FREE, 0),
	    "a lost socket waits for its slice, and the slot says so");
	q = accepted(0);
	enter(&q, 1);
	begin();
	ok(slot(0)->lost == 1,
	    "a death amid the search: the slot still says so");
	finish();
	ok(is_owned(&p, CONN_OPEN, 0) && echoes(&p) && slot(0)->lost == 0 &&
		slot(0)->held == 1 && is_owned(&q, CONN_OPEN, 1),
	    "it is found by the second search, which ends");
	rig_down();

	rig_up();
	p = accepted(0);
	name(OP_ACCEPT, 0, 0);
	begin();
	worker_up(1);
	(void)recover(&rig.w, 0);
	ok(slot(0)->lost == 0 && slot(1)->lost == 1,
	    "who adopts the slot takes over the search");
	begin();
	finish();
	ok(is_owned(&p, CONN_FREE, 0), "the slot's own worker does not search");
	worker_up(1);
	(void)recover(&rig.w, 1);
	ok(is_owned(&p, CONN_OPEN, 1) && slot(1)->lost == 0 && echoes(&p),
	    "and a death of the one that adopts forgets nothing");
	rig_down();
}

static void
test_drain(void)
{
	struct pair p;
	char got[12];

	rig_up();
	p = opened();
	set_owner(&p, CONN_CLOSING, 0);
	slot(0)->held = 0;
	begin();
	arena_stop(&rig.arena, clock_ms());
	drain_begin(&rig.w);
	ok(!drain_step(&rig.w) && is_open(p.fd),
	    "a worker does not end before its slices are through");
	finish();
	ok(drain_step(&rig.w) && !is_open(p.fd), "then it does");
	rig_down();

	rig_up();
	p = opened();
	hold(&p, "half", 0);
	say(&p, " a line\n");
	begin();
	arena_stop(&rig.arena, clock_ms() + 60000);
	drain_begin(&rig.w);
	(void)drain_step(&rig.w);
	ok(is_visited(&p) && hear(&p, got, sizeof(got)) == sizeof(got) &&
		memcmp(got, "half a line\n", sizeof(got)) == 0,
	    "a stop visits a record before it drains it");
	rig_down();
}

/* The time to the first served event, with so many records. */
static double
first_event(unsigned records, unsigned *slices, double *longest)
{
	struct arena a;
	struct config config = { .services = 1 };
	struct worker_place place = { .slot = 0 };
	static struct worker w;
	uint64_t began, now, first;

	checked(arena_create(&a, 1, records, records), "arena_create");
	a.header->workers = 1;
	for (unsigned fd = 0; fd < records; fd++) {
		struct connection *c = &a.connection[fd];

		c->half[0].delivered = DELIVERED_OPEN;
		c->half[0].entry = ENTRY_ECHO;
		c->cookie = fd + 1;
		c->flags = CONN_ENROLLED;
		c->owner = owner_word(CONN_OPEN, 0);
	}
	a.header->descriptor_end = records;
	a.slot[0].held = records;
	a.slot[0].wake_fd = a.slot[0].watch_fd = -1;
	began = clock_us();
	worker_init(&w, &config, &a, &place);
	w.handler[ENTRY_ECHO].h = &handler_echo;
	w.handler[ENTRY_ECHO].service = &config.service[0];
	if (recover_begin(&w) == -1)
		die("recover_begin");
	handoff_accept(&w);
	(void)visit_record(&w, (int)records - 1);
	first = now = clock_us();
	*longest = 0;
	for (*slices = 1; recover_slice(&w); ++*slices) {
		uint64_t then = clock_us();

		if ((double)(then - now) > *longest)
			*longest = (double)(then - now);
		now = clock_us();
	}
	ok(w.slices.result.kept == records && a.slot[0].held == records,
	    "%u records are visited", records);
	free(w.active.entry);
	free(w.wakeups.entry);
	arena_destroy(&a);
	return (double)(first - began) / 1000;
}

/* Timings are printed, and fail nothing. */
static void
test_many(void)
{
	static const unsigned counts[] = { 100, 10000, 1000000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		unsigned slices;
		double longest, ms;

		if (counts[i] > ARENA_DESCRIPTORS_MAX)
			break;
		ms = first_event(counts[i], &slices, &longest);
		printf("# %u records: first event after %.2f ms, %u slices, "
		       "the longest %.2f ms\n",
		    counts[i], ms, slices, longest / 1000);
	}
}

int
main(void)
{
	rig_begin();
	test_on_demand();
	test_counts();
	test_lost();
	test_drain();
	test_many();
	return tap_done();
}
