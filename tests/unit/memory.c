/* SPDX-License-Identifier: ISC */
/*
 * The memory of windows: a death does not make its count wrong, and above
 * maxmemory-clients connections are paused, then closed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "rig.h"
#include "tap.h"
#include "worker/balance/handoff.h"
#include "worker/memory.h"

#define BLOCKS(n) ((n)*SPILL_BLOCK)

static char text[SPILL_LINE];

static void
up(unsigned most)
{
	rig_up();
	rig.config.maxmemory_clients = (struct memory_size){ MEMORY_BYTES,
		BLOCKS(most) };
	memset(text, 'h', sizeof(text));
}

/* `n` bytes of a line arrive, but not its end. */
static void
half(const struct pair *p, size_t n)
{
	uint64_t rx = p->c->rx;

	say_bytes(p, text, n);
	for (int i = 0; i < 50 && p->c->rx < rx + n && p->c->paused == 0; i++)
		turn(5);
}

/* As the loop does at TIMER_MEMORY. */
static void
judge(void)
{
	timer_clear(&rig.w.timers, TIMER_MEMORY);
	memory_judge(&rig.w);
}

static void
test_counts(void)
{
	struct pair p, q;

	up(100);
	p = opened();
	q = opened();
	(void)succeed();
	half(&p, BLOCKS(2) + 1);
	half(&q, 10);
	ok(p.c->blocks == 3 && q.c->blocks == 1 && slot(0)->blocks == 4,
	    "a window counts by its blocks");
	slot(0)->blocks = 77;
	(void)succeed();
	ok(slot(0)->blocks == 4,
	    "a count that a death left wrong is corrected");
	slot(1)->state = SLOT_READY;
	handoff_move(&rig.w, p.fd, 1);
	ok(slot(0)->blocks == 1, "offered, it does not count for us");
	handoff_withdraw(&rig.w);
	ok(slot(0)->blocks == 4 && is_owned(&p, CONN_OPEN, 0),
	    "withdrawn, it counts for us again");
	say(&q, "\n");
	text[10] = '\n';
	ok(hears_bytes(&q, text, 11), "the line comes back");
	text[10] = 'h';
	timer_clear(&rig.w.timers, TIMER_TRIM);
	memory_trim(&rig.w);
	ok(q.c->blocks == 1 && timer_is_set(&rig.w.timers, TIMER_TRIM),
	    "a window used a moment ago stays");
	timer_clear(&rig.w.timers, TIMER_TRIM);
	memory_trim(&rig.w);
	ok(q.c->blocks == 0 && slot(0)->blocks == 3 &&
		!timer_is_set(&rig.w.timers, TIMER_TRIM),
	    "then it is released, and the timer is clear");
	close(p.client);
	turn(50);
	ok(slot(0)->blocks == 0, "closed, it does not count");
	rig_down();
}

static void
test_full(void)
{
	struct pair large, small, late;

	up(8);
	large = opened();
	small = opened();
	late = opened();
	(void)succeed();
	half(&small, 3);
	half(&large, BLOCKS(8));
	ok(rig.w.memory_full && slot(0)->blocks == 9,
	    "above the limit memory is full");
	half(&large, 10);
	ok(large.c->paused == 1 && registered(&large, 0) == 0 &&
		large.c->blocks == 8,
	    "a connection that would take more is not read");
	ok(silent(&large) && large.c->blocks == 8,
	    "and no event reports it again");
	half(&late, BLOCKS(1) + 10);
	ok(late.c->paused == 1 && late.c->blocks == 1,
	    "a new connection has one block");
	say(&small, "\n");
	ok(hears(&small, "hhh\n") && echoes(&small),
	    "a connection that takes no more is served");
	(void)succeed();
	ok(large.c->paused == 0 && is_watched(&large) && slot(0)->blocks >= 9,
	    "a successor begins anew");
	memory_look(&rig.w);
	turn(20);
	turn(20);
	ok(rig.w.memory_full && large.c->paused == 1 && late.c->paused == 1,
	    "and has the same result");
	judge();
	ok(closed(0, CLOSE_MEMORY) == 1 && !is_open(large.fd) &&
		!rig.w.memory_full,
	    "after a while the largest is closed");
	turn(20);
	ok(late.c->paused == 0 && late.c->rx == BLOCKS(1) + 10 &&
		late.c->blocks == 2,
	    "the others are read again");
	text[0] = '\n';
	say_bytes(&late, text, 1);
	text[0] = 'h';
	ok(closed(0, CLOSE_MEMORY) == 1 && echoes(&small),
	    "no other connection was closed");
	rig_down();
}

static void
test_gone(void)
{
	const struct linger now = { .l_onoff = 1 };
	struct pair p;

	up(4);
	p = opened();
	(void)succeed();
	half(&p, BLOCKS(5));
	half(&p, 1);
	ok(p.c->paused == 1, "a connection is not read");
	checked(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)),
	    "SO_LINGER");
	close(p.client);
	turn(50);
	ok(closed(0, CLOSE_RESET) == 1 && slot(0)->blocks == 0,
	    "and it is closed when its client resets");
	rig_down();
}

/* If a sibling that sleeps holds most, ours are not closed for it. */
static void
test_siblings(void)
{
	struct pair mine, theirs[4];

	up(10);
	mine = opened();
	for (int i = 0; i < 4; i++) {
		theirs[i] = accepted(0);
		enter(&theirs[i], 1);
		theirs[i].c->blocks = 4;
		slot(1)->blocks += 4;
	}
	(void)succeed();
	half(&mine, BLOCKS(1) + 1);
	ok(rig.w.memory_full && watched_by(1) > 0,
	    "connections of a sibling count, too");
	judge();
	ok(rig.w.memory_full && closed(0, CLOSE_MEMORY) == 0,
	    "a sibling's are larger: ours stay");
	for (int i = 0; i < 4; i++) {
		theirs[i].c->blocks = 1;
		slot(1)->blocks -= 3;
	}
	judge();
	ok(!rig.w.memory_full && closed(0, CLOSE_MEMORY) == 0,
	    "when they have less, memory is not full");
	rig_down();
}

static void
test_shed(void)
{
	struct pair large, small, doubtful;

	up(100);
	large = opened();
	small = opened();
	doubtful = opened();
	(void)succeed();
	half(&large, BLOCKS(9));
	half(&small, BLOCKS(1));
	say(&doubtful, "half");
	take(&doubtful, arena_scratch(&rig.arena, 0), 4);
	name(OP_SERVE, doubtful.fd, 0);
	slot(0)->shed = 1;
	(void)succeed();
	ok(!is_open(large.fd) && !is_open(doubtful.fd) &&
		closed(0, CLOSE_MEMORY) == 2 && slot(0)->shed == 0,
	    "after kills in a row: the clients that hold much and the one "
	    "that was served are closed");
	say(&small, "\n");
	text[SPILL_BLOCK] = '\n';
	ok(hears_bytes(&small, text, SPILL_BLOCK + 1), "the others go on");
	text[SPILL_BLOCK] = 'h';
	rig_down();
}

int
main(void)
{
	rig_begin();
	test_counts();
	test_full();
	test_gone();
	test_siblings();
	test_shed();
	return tap_done();
}
