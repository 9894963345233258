/* SPDX-License-Identifier: ISC */
/*
 * The epoll instance of a slot, and its active set.  The instance and the
 * records agree, also after a death between two stores; and every client is
 * read again, or gets its output.
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "rig.h"
#include "tap.h"
#include "worker/balance/handoff.h"
#include "worker/connection/close.h"
#include "worker/connection/idle.h"
#include "worker/loop.h"

#define MANY 60000 /* bytes: more than a small socket takes */

/* --- deaths around the instance */

/* How the record and the instance may differ after a death in the functions of
 * events.c. */
static const struct {
	unsigned flags;
	uint32_t events;
	const char *what;
} torn[] = {
	{ 0, 0, "no flag, no entry" },
	{ 0, EPOLLIN, "no flag, entry to read" },
	{ 0, EPOLLOUT, "no flag, entry to send" },
	{ CONN_WRITES, 0, "to send, no entry yet" },
	{ CONN_WRITES, EPOLLOUT, "to send, not enrolled yet" },
	{ CONN_ENROLLED, EPOLLIN, "enrolled, to read" },
	{ CONN_ENROLLED | CONN_WRITES, EPOLLIN, "to send, entry to read" },
	{ CONN_ENROLLED | CONN_WRITES, EPOLLOUT, "enrolled, to send" },
	{ CONN_ENROLLED | CONN_WRITES, 0, "enrolled, to send, no entry" },
};

static void
test_torn(void)
{
	char *bytes = pattern(MANY);
	struct pair p;

	for (size_t i = 0; i < sizeof(torn) / sizeof(*torn); i++) {
		uint8_t flags = (uint8_t)torn[i].flags;

		rig_up();
		p = opened();
		p.c->flags = flags;
		set_registered(&p, 0, torn[i].events);
		ok(settled(1, 0, succeed()) && is_watched(&p) && echoes(&p) &&
			is_active(&p),
		    "%s, nothing unsent: is read", torn[i].what);
		rig_down();

		rig_up();
		p = stuck(bytes, MANY);
		p.c->flags = (uint8_t)((p.c->flags & ~CONN_ENROLLED) | flags);
		set_registered(&p, 0, torn[i].events);
		ok(settled(1, 0, succeed()) && connection_unsent(p.c) > 0 &&
			is_watched(&p),
		    "%s, unsent: waits to send", torn[i].what);
		ok(hears_bytes(&p, bytes, MANY) && is_watched(&p) && echoes(&p),
		    "%s, unsent: all comes, and is read", torn[i].what);
		rig_down();
	}

	/* events_forget() never leaves this with nothing to send. */
	rig_up();
	p = stuck(bytes, MANY);
	set_registered(&p, 0, 0);
	ok(settled(1, 0, succeed()) && is_watched(&p) &&
		hears_bytes(&p, bytes, MANY) && echoes(&p),
	    "enrolled, no entry, unsent: all comes, and is read");
	rig_down();
	free(bytes);
}

static void
test_unhandled(void)
{
	struct pair p, q;

	rig_up();
	p = opened();
	q = opened();
	(void)succeed();
	say(&p, "one\n");
	say(&q, "two\n");
	ok(events_wait(&rig.w.events, 0) == 2, "two events are reported");
	ok(settled(2, 0, succeed()) && hears(&p, "one\n") && hears(&q, "two\n"),
	    "the worker dies: its successor gets both events");
	rig_down();

	rig_up();
	p = offered(1, 0);
	worker_up(0);
	arena_handoff(&rig.arena, 0)[p.fd / 64] = UINT64_C(1) << (p.fd % 64);
	checked(eventfd_write(slot(0)->wake_fd, 1), "eventfd_write");
	ok(events_wait(&rig.w.events, 0) == 1 &&
		events_kind(&rig.w.events.event[0]) == EVENT_WAKE,
	    "a worker is woken");
	worker_up(0);
	ok(watched_by(0) == 1 && (turn(PATIENCE), is_owned(&p, CONN_OPEN, 0)) &&
		is_watched(&p) && echoes(&p),
	    "its successor is woken again");
	rig_down();
}

static void
test_listeners(void)
{
	struct arena_header *h;
	struct worker *w = &rig.w;
	int client;

	rig_up();
	h = rig.arena.header;
	h->listener[1].fd = listen_somewhere(&rig.address);
	h->listeners = 2;
	worker_up(0);
	events_listen(&w->events, true);
	ok(watched_by(0) == 3 && w->events.listening,
	    "both listeners are watched");
	events_listen(&w->events, true);
	ok(watched_by(0) == 3, "once");
	client = connect_to(&rig.address, 0);
	await(h->listener[1].fd, POLLIN);
	ok(events_wait(&w->events, 0) == 1 &&
		events_kind(&w->events.event[0]) == EVENT_LISTENER &&
		events_number(&w->events.event[0]) == 1,
	    "the event says at which listener a client waits");
	events_listen(&w->events, false);
	ok(watched_by(0) == 1 && !w->events.listening &&
		events_wait(&w->events, 0) == 0,
	    "not listening, none is watched");
	events_listen(&w->events, true);
	events_shut(&w->events, 1);
	ok(watched_by(0) == 2 && events_wait(&w->events, 0) == 0,
	    "a listener that is shut is not watched, the other is");
	events_listen(&w->events, true);
	ok(watched_by(0) == 2, "and never again");
	worker_up(0);
	ok(watched_by(0) == 1, "a successor begins without listeners");
	/* A reload has dropped the second. */
	events_listen(&w->events, true);
	h->listeners = 1;
	h->dropped = 1;
	worker_up(0);
	ok(watched_by(0) == 1, "nor does it watch one that was dropped since");
	close(client);
	rig_down();
}

/* --- a record waits for something else */

static void
test_update(void)
{
	char *bytes = pattern(MANY);
	struct pair p;

	rig_up();
	p = stuck(bytes, MANY);
	worker_up(0);
	p.c->active = CONNECTION_INACTIVE;
	events_update(&rig.w.events, p.fd);
	ok(is_watched(&p) && registered(&p, 0) == EPOLLOUT,
	    "something is unsent: waits to send");
	events_update(&rig.w.events, p.fd);
	ok(is_watched(&p), "and still does");
	p.c->phase = PHASE_LINGERING;
	events_update(&rig.w.events, p.fd);
	ok(registered(&p, 0) == EPOLLIN && is_watched(&p),
	    "lingering: is read, whatever is unsent");
	p.c->phase = PHASE_SERVING;
	events_update(&rig.w.events, p.fd);
	ok(hears_bytes(&p, bytes, MANY) && registered(&p, 0) == EPOLLIN &&
		is_watched(&p) && echoes(&p),
	    "all is sent: is read");
	events_forget(&rig.w.events, p.fd);
	ok(registered(&p, 0) == 0 && watched_by(0) == 1 &&
		(p.c->flags & (CONN_ENROLLED | CONN_WRITES)) == 0,
	    "forgotten");
	events_update(&rig.w.events, p.fd);
	ok(registered(&p, 0) == 0,
	    "a connection that is not enrolled is not changed");
	ok(events_add(&rig.w.events, p.fd) == 0 && is_watched(&p) && echoes(&p),
	    "and added again");
	close_connection(&rig.w, p.fd, CLOSE_IDLE, 0);
	ok(watched_by(0) == 1, "closed: no entry is left");
	rig_down();
	free(bytes);
}

/* --- entries of connections that are another slot's */

static void
test_disown(void)
{
	struct pair p;

	rig_up();
	p = accepted(0);
	enter(&p, 1);
	set_registered(&p, 0, EPOLLIN);
	ok(settled(0, 0, succeed()) && registered(&p, 0) == EPOLLIN &&
		events_wait(&rig.w.events, 0) == 0,
	    "an entry of another slot's connection, silent: not seen");
	say(&p, "hello\n");
	ok(silent(&p) && registered(&p, 0) == 0 &&
		registered(&p, 1) == EPOLLIN && is_owned(&p, CONN_OPEN, 1) &&
		p.c->rx == 0 && slot(0)->active == 0,
	    "at its first event: disowned, not served");
	worker_up(1);
	ok(settled(1, 0, recover(&rig.w, 1)) && hears(&p, "hello\n") &&
		is_watched(&p),
	    "the owner serves it");
	rig_down();

	rig_up();
	p = offered(1, 0);
	set_registered(&p, 0, EPOLLOUT);
	worker_up(0);
	arena_handoff(&rig.arena, 0)[p.fd / 64] = UINT64_C(1) << (p.fd % 64);
	handoff_accept(&rig.w);
	ok(is_owned(&p, CONN_OPEN, 0) && is_watched(&p) && echoes(&p),
	    "an old entry of a connection that comes back is used again");
	rig_down();
}

/* A real worker of slot 0; returns its process. */
static pid_t
employ(void)
{
	struct worker_place place = place_of(0);
	pid_t pid;

	place.master = getpid();
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL,
	    NULL);
	if (pid == 0)
		_exit(worker_main(&rig.config, &rig.arena, &place));
	return checked(pid, "clone");
}

static bool
asleep(unsigned k)
{
	uint64_t deadline = clock_ms() + PATIENCE, before;

	do {
		before = slot(k)->heartbeat;
		(void)poll(NULL, 0, 50);
		if (before % 2 == 0 && slot(k)->heartbeat == before)
			return true;
	} while (clock_ms() < deadline);
	return false;
}

static void
test_worker(void)
{
	struct pair p, q;
	int status = -1;
	pid_t pid;

	rig_up();
	rig.arena.header->master_wake_fd = checked(eventfd(0, EFD_NONBLOCK),
	    "eventfd");
	rig.arena.header->workers = 1;
	rig.config.shutdown_timeout = 1;
	p = opened();
	q = accepted(0);
	enter(&q, 1);
	set_registered(&q, 0, EPOLLIN);
	say(&q, "for slot 1\n");
	worker_up(2); /* turn() has nothing to do */
	pid = employ();
	ok(echoes(&p) && asleep(0) && registered(&q, 0) == 0 && silent(&q),
	    "the loop disowns another slot's connection, and sleeps");
	ok(slot(0)->active == 1 && registered(&p, 0) == EPOLLIN,
	    "a client that speaks is active");
	arena_stop(&rig.arena, clock_ms() + 10);
	(void)eventfd_write(slot(0)->wake_fd, 1);
	for (int i = 0; i < PATIENCE && waitpid(pid, &status, WNOHANG) == 0;
	     i++)
		(void)poll(NULL, 0, 1);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == WORKER_DRAINED,
	    "and drains");
	if (status == -1) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
	}
	rig_down();
}

/* A worker without connections is not woken to look for idle ones. */
static void
test_idle(void)
{
	struct pair p;

	rig_up();
	rig.config.service[0].timeout = 8;
	worker_up(0);
	idle_round(&rig.w);
	ok(!timer_is_set(&rig.w.timers, TIMER_IDLE),
	    "without connections no sweep is due");
	p = opened();
	p.c->idle_since = (uint32_t)(clock_ms() / 100);
	(void)succeed();
	idle_round(&rig.w);
	ok(timer_take(&rig.w.timers, TIMER_IDLE, clock_ms()),
	    "a successor sweeps at once");
	idle_sweep(&rig.w);
	idle_round(&rig.w);
	ok(!timer_take(&rig.w.timers, TIMER_IDLE, clock_ms() + 900) &&
		timer_take(&rig.w.timers, TIMER_IDLE, clock_ms() + 1000),
	    "and then each eighth of the timeout");
	close_connection(&rig.w, p.fd, CLOSE_IDLE, 0);
	idle_round(&rig.w);
	ok(!timer_is_set(&rig.w.timers, TIMER_IDLE),
	    "after the last connection none is due");
	rig_down();
}

/* --- the active set */

/* Rounds of the loop in which only `p`, or nothing, has something to do. */
static void
rounds(unsigned n, const struct pair *p)
{
	for (; n > 0; n--) {
		if (p != NULL)
			active_touch(&rig.w.active, p->fd);
		active_round(&rig.w.active);
	}
}

/* Blocks of the arena, including windows. */
static long
blocks(void)
{
	struct stat st;

	checked(fstat(rig.arena.fd, &st), "fstat");
	return (long)st.st_blocks;
}

static void
test_trimming(void)
{
	static char line[40000];
	struct pair p, q, r;
	long before;

	rig_up();
	p = opened();
	q = opened();
	r = opened();
	(void)succeed();
	ok(slot(0)->active == 0 && !is_active(&p),
	    "an inherited connection is not active");
	ok(echoes(&p) && echoes(&q) && echoes(&r) && slot(0)->active == 3 &&
		is_active(&p) && is_active(&q) && is_active(&r),
	    "with something to do, it is active");
	active_remove(&rig.w.active, p.fd);
	active_remove(&rig.w.active, p.fd);
	ok(slot(0)->active == 2 && !is_active(&p) && is_active(&q) &&
		is_active(&r),
	    "one is removed: the others stay");
	ok(echoes(&p) && is_active(&p), "and it can be activated again");
	rounds(200, &q);
	ok(slot(0)->active == 1 && is_active(&q) && !is_active(&p) &&
		!is_active(&r),
	    "connections with nothing to do are deactivated, the other is not");
	ok(is_watched(&p) && is_watched(&r) && echoes(&p) && is_active(&p),
	    "an inactive one is watched, and is active when it speaks");
	close_connection(&rig.w, q.fd, CLOSE_IDLE, 0);
	ok(slot(0)->active == 1 && is_active(&p), "closed, it is not active");
	rig_down();

	rig_up();
	memset(line, 'l', sizeof(line));
	p = opened();
	q = opened();
	(void)succeed();
	memset(arena_scratch(&rig.arena, 0), 'X', SCRATCH_BYTES);
	before = blocks();
	say_bytes(&p, line, sizeof(line) / 2);
	ok(silent(&p) && p.c->blocks > 0 &&
		blocks() >= before + (long)sizeof(line) / 2 / 512,
	    "half a line takes a window");
	rounds(200, NULL);
	ok(!is_active(&p) && p.c->blocks > 0 && blocks() > before,
	    "inactive with half a line: the window stays");
	line[sizeof(line) - 1] = '\n';
	say_bytes(&p, line + sizeof(line) / 2, sizeof(line) / 2);
	ok(hears_bytes(&p, line, sizeof(line)) && is_active(&p),
	    "the whole line comes back");
	rounds(200, &q);
	ok(!is_active(&p) && is_active(&q) && p.c->blocks == 0 &&
		(p.c->flags & CONN_SPILLED) == 0 && blocks() == before,
	    "inactive with nothing pending: the window is released");
	ok(echoes(&p), "and the connection goes on");
	rig_down();
}

static void
test_offer(void)
{
	struct pair p[4];

	rig_up();
	for (int i = 0; i < 4; i++)
		p[i] = opened();
	(void)succeed();
	ok(echoes(&p[0]) && echoes(&p[1]) && slot(0)->active == 2,
	    "two are active");
	p[1].c->flags |= CONN_INACTIVE; /* from an earlier offer */
	slot(1)->state = SLOT_READY;
	balance(&rig.balance, &rig.w);
	ok(slot(0)->held == 3 && slot(0)->active == 1 &&
		slot(1)->inflight == 1 && is_owned(&p[1], CONN_OFFERED, 1) &&
		registered(&p[1], 0) == 0 &&
		(p[1].c->flags & (CONN_ENROLLED | CONN_INACTIVE)) == 0,
	    "an active one is offered, and not watched any more");
	handoff_withdraw(&rig.w);
	ok(slot(0)->held == 4 && is_watched(&p[1]) && is_active(&p[1]) &&
		echoes(&p[1]),
	    "withdrawn: it is active");
	rig.w.siblings.skipped[1] = 0;
	rig.balance.turn = 0; /* the same one */
	balance(&rig.balance, &rig.w);
	worker_up(1);
	turn(PATIENCE);
	ok(is_owned(&p[1], CONN_OPEN, 1) && is_watched(&p[1]) &&
		is_active(&p[1]) && slot(1)->active == 1 && echoes(&p[1]),
	    "offered and accepted: it is active there");
	rig_down();

	rig_up();
	for (int i = 0; i < 4; i++)
		p[i] = opened();
	(void)succeed();
	slot(1)->state = SLOT_READY;
	balance(&rig.balance, &rig.w);
	ok(slot(0)->held == 2 && is_owned(&p[0], CONN_OFFERED, 1) &&
		is_owned(&p[1], CONN_OFFERED, 1) &&
		(p[0].c->flags & CONN_INACTIVE) != 0,
	    "inactive ones are offered if none is active");
	handoff_withdraw(&rig.w);
	ok(slot(0)->held == 4 && is_watched(&p[0]) && !is_active(&p[0]) &&
		slot(0)->active == 0,
	    "withdrawn: inactive");
	rig.w.siblings.skipped[1] = 0;
	balance(&rig.balance, &rig.w);
	worker_up(1);
	turn(PATIENCE);
	ok(slot(1)->held == 2 && is_watched(&p[0]) && !is_active(&p[0]) &&
		!is_active(&p[1]) && slot(1)->active == 0,
	    "offered and accepted: inactive");
	ok(echoes(&p[0]) && is_active(&p[0]) && slot(1)->active == 1,
	    "and active when it speaks");
	rig_down();
}

/* Of `n` active connections of slot 0, how many it offers to slot 1.  The slots
 * are even, but slot 1 sent `echoes` and slot 0 sent 100.  The worker finds
 * `ready` events at a time. */
static unsigned
offers(struct pair *p, unsigned n, unsigned ready, unsigned echoes)
{
	unsigned offered = 0;

	rig_up();
	for (unsigned i = 0; i < n; i++)
		p[i] = opened();
	(void)succeed();
	for (unsigned i = 0; i < n; i++)
		active_touch(&rig.w.active, p[i].fd);
	slot(1)->state = SLOT_READY;
	slot(1)->held = slot(1)->active = n;
	balance(&rig.balance, &rig.w); /* the first look */
	slot(0)->count[0].echoes += 100;
	slot(1)->count[0].echoes += echoes;
	rig.balance.batches += 10;
	rig.balance.events += 10 * ready;
	rig.balance.compare_at = 1;
	balance(&rig.balance, &rig.w);
	for (unsigned i = 0; i < n; i++)
		offered += is_owned(&p[i], CONN_OFFERED, 1);
	return offered;
}

static void
test_rotate(void)
{
	struct pair p[8];

	ok(offers(p, 8, 4, 100) == 0, "served the same: none is offered");
	rig_down();
	ok(offers(p, 8, 4, 105) == 0, "served about the same: none is offered");
	rig_down();
	ok(offers(p, 8, 1, 200) == 0, "served less without a queue: none");
	rig_down();
	ok(offers(p, 8, 4, 50) == 0, "served more: none");
	rig_down();
	ok(offers(p, 8, 4, 200) == 3,
	    "served less behind a queue: some are offered");
	/* The next time, others are offered. */
	slot(1)->active = slot(1)->held = 8;
	slot(1)->inflight = 0;
	slot(0)->count[0].echoes += 100;
	slot(1)->count[0].echoes += 200;
	rig.balance.batches += 10;
	rig.balance.events += 40;
	rig.balance.compare_at = 1;
	balance(&rig.balance, &rig.w);
	ok(is_owned(&p[7], CONN_OFFERED, 1) &&
		!is_owned(&p[0], CONN_OFFERED, 1),
	    "not all at once");
	rig_down();
}

/* A worker that sleeps is notified by eventfd, one that is awake by a word. */
static void
test_notify(void)
{
	eventfd_t count = 0;

	rig_up();
	worker_up(0);
	slot(1)->heartbeat = 3;
	siblings_notify(&rig.w.siblings, 1);
	ok(slot(1)->wakeup_pending == 1 &&
		eventfd_read(slot(1)->wake_fd, &count) == -1,
	    "awake: a word");
	slot(1)->heartbeat = 4;
	siblings_notify(&rig.w.siblings, 1);
	ok(slot(1)->wakeup_pending == 1 &&
		eventfd_read(slot(1)->wake_fd, &count) == 0,
	    "asleep: an eventfd");
	ok(!handoff_pending(&rig.w), "no wakeup is pending");
	slot(0)->wakeup_pending = 1;
	ok(handoff_pending(&rig.w), "a wakeup is pending");
	handoff_check(&rig.w);
	ok(slot(0)->wakeup_pending == 0 && !handoff_pending(&rig.w),
	    "and checked");
	rig_down();
}

static void
test_offer_unsent(void)
{
	char *bytes = pattern(MANY);
	struct pair p, q;

	rig_up();
	q = opened();
	p = stuck(bytes, MANY);
	(void)succeed();
	active_touch(&rig.w.active, q.fd);
	active_touch(&rig.w.active, p.fd);
	slot(1)->state = SLOT_READY;
	balance(&rig.balance, &rig.w);
	ok(is_owned(&p, CONN_OFFERED, 1) && registered(&p, 0) == 0 &&
		(p.c->flags & CONN_WRITES) == 0,
	    "a connection that waits to send is offered");
	worker_up(1);
	turn(PATIENCE);
	ok(is_owned(&p, CONN_OPEN, 1) && connection_unsent(p.c) > 0 &&
		is_watched(&p),
	    "it waits to send there");
	ok(hears_bytes(&p, bytes, MANY) && is_watched(&p) && echoes(&p),
	    "all comes, and is read");
	rig_down();
	free(bytes);
}

int
main(void)
{
	rig_begin();
	test_torn();
	test_unhandled();
	test_listeners();
	test_update();
	test_disown();
	test_worker();
	test_idle();
	test_trimming();
	test_offer();
	test_rotate();
	test_notify();
	test_offer_unsent();
	return tap_done();
}
