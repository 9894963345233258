/* SPDX-License-Identifier: ISC */
/*
 * Recovery of everything else in a slot: accepting, closing, hand-off, and a
 * sibling that adopts the slot.  For each point at which a worker can die, a
 * test makes the state that the death leaves behind.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"
#include "worker/balance/handoff.h"
#include "worker/connection/tcp_info.h"

static void
test_accept(void)
{
	uint32_t before;
	struct pair p;

	rig_up();
	p = accepted(0);
	name(OP_ACCEPT, 0, 0);
	rig.arena.header->admission = 1;
	slot(0)->held = 1;
	ok(settled(1, 0, succeed()) && is_owned(&p, CONN_OPEN, 0) &&
		is_watched(&p) && p.c->cookie == tcp_info_cookie(p.fd) &&
		p.c->peer.family == AF_INET && echoes(&p),
	    "a lost socket becomes a connection");
	ok(rig.arena.header->admission == 0, "and the admission is released");
	rig_down();

	rig_up();
	p = accepted(0);
	memset(p.c, 0x5a, sizeof(*p.c));
	note_end(p.fd);
	set_owner(&p, CONN_CLAIMED, 0);
	name(OP_ACCEPT, 0, 0);
	ok(settled(1, 0, succeed()) && is_owned(&p, CONN_OPEN, 0) &&
		at_positions(&p, 0, 0, 0, 0) && echoes(&p),
	    "CLAIMED, half filled in: becomes a connection");
	rig_down();

	rig_up();
	p = offered(0, 1);
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_owned(&p, CONN_OFFERED, 1) &&
		(arena_handoff(&rig.arena, 1)[p.fd / 64] >> (p.fd % 64) & 1) ==
		    1 &&
		poll(&(struct pollfd){ slot(1)->wake_fd, POLLIN, 0 }, 1, 0) ==
		    1,
	    "OFFERED without notice: it is notified");
	worker_up(1);
	handoff_accept(&rig.w);
	ok(is_owned(&p, CONN_OPEN, 1) && is_watched(&p) && echoes(&p),
	    "and accepted");
	rig_down();

	rig_up();
	p = accepted(0);
	enter(&p, 1);
	before = p.c->active;
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_owned(&p, CONN_OPEN, 1) &&
		p.c->active == before && slot(1)->held == 1 && is_open(p.fd),
	    "a lost socket that a living worker has claimed is left alone");
	rig_down();

	rig_up();
	p = offered(2, 1);
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_owned(&p, CONN_OFFERED, 1) &&
		p.c->offered_by == 2 &&
		arena_handoff(&rig.arena, 1)[p.fd / 64] == 0,
	    "offers of others are left alone");
	rig_down();
}

static void
test_strangers(void)
{
	struct sockaddr_in elsewhere;
	int file, listener, client, server;

	rig_up();
	file = checked(open("/dev/null", O_RDWR), "open");
	listener = listen_somewhere(&elsewhere);
	client = connect_to(&elsewhere, 0);
	await(listener, POLLIN);
	server = checked(accept4(listener, NULL, NULL, 0), "accept4");
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_open(file) && is_open(listener) &&
		is_open(client) && is_open(server) && is_open(rig.listener) &&
		arena_next(&rig.arena, 0, 0) == -1 && watched_by(0) == 1,
	    "files, listeners and other connections are not lost sockets");
	rig_down();
}

/* The number p.fd is another client's socket now. */
static struct pair
reused(const struct pair *p)
{
	struct pair q = accepted(0);

	checked(dup2(q.fd, p->fd), "dup2");
	close(q.fd);
	q.fd = p->fd;
	q.c = p->c;
	return q;
}

static void
test_close(void)
{
	struct pair p, q;

	rig_up();
	p = opened();
	set_owner(&p, CONN_CLOSING, 0);
	ok(settled(0, 0, succeed()) && is_owned(&p, CONN_FREE, 0) &&
		!is_open(p.fd) && hears_end(&p),
	    "CLOSING, open: is closed");
	rig_down();

	rig_up();
	p = opened();
	set_owner(&p, CONN_CLOSING, 0);
	close(p.fd);
	ok(settled(0, 0, succeed()) && is_owned(&p, CONN_FREE, 0),
	    "CLOSING, closed: is free");
	rig_down();

	rig_up();
	p = opened();
	set_owner(&p, CONN_CLOSING, 0);
	q = reused(&p);
	ok(settled(0, 0, succeed()) && is_owned(&p, CONN_FREE, 0) &&
		is_open(q.fd),
	    "CLOSING, number reused, in no record: left open");
	rig_down();

	rig_up();
	p = opened();
	set_owner(&p, CONN_CLOSING, 0);
	q = reused(&p);
	name(OP_ACCEPT, 0, 0);
	ok(settled(1, 0, succeed()) && is_owned(&q, CONN_OPEN, 0) && echoes(&q),
	    "CLOSING, number reused by a lost socket: entered");
	rig_down();

	rig_up();
	p = opened();
	q = reused(&p);
	enter(&q, 1);
	name(OP_SERVE, p.fd, 0);
	ok(settled(0, 0, succeed()) && is_owned(&q, CONN_OPEN, 1) &&
		is_open(q.fd),
	    "number reused by another slot: left alone");
	rig_down();

	rig_up();
	p = opened();
	set_owner(&p, CONN_CLOSING, 1);
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_owned(&p, CONN_CLOSING, 1) &&
		is_open(p.fd),
	    "CLOSING by another slot is left alone");
	rig_down();
}

static void
test_handoff(void)
{
	struct pair p;

	rig_up();
	p = offered(1, 0);
	slot(0)->inflight = 1;
	ok(settled(1, 0, succeed()) && is_owned(&p, CONN_OPEN, 0) &&
		is_watched(&p) && slot(0)->inflight == 0 && echoes(&p),
	    "offered to the dead slot without notice: accepted");
	rig_down();

	rig_up();
	p = offered(1, 0);
	arena_handoff(&rig.arena, 0)[p.fd / 64] = UINT64_C(1) << (p.fd % 64);
	ok(settled(1, 0, succeed()), "offered with notice: accepted");
	handoff_accept(&rig.w);
	ok(slot(0)->held == 1 && is_watched(&p) && watched_by(0) == 2 &&
		echoes(&p),
	    "offered with notice: once");
	rig_down();

	rig_up();
	p = offered(0, 1);
	name(OP_HANDOFF, 0, 0);
	ok(settled(0, 0, succeed()) && rig.w.timers.at[TIMER_WITHDRAW] == 0,
	    "offered by the dead slot: withdrawn soon");
	handoff_withdraw(&rig.w);
	ok(is_owned(&p, CONN_OPEN, 0) && slot(0)->held == 1 && is_watched(&p) &&
		echoes(&p),
	    "it is withdrawn if it is not accepted");
	rig_down();
}

static void
test_fault(void)
{
	static const int faults[] = { SIGSEGV, FAULT_HUNG };
	struct pair p, q;

	for (size_t i = 0; i < 2; i++) {
		rig_up();
		p = opened();
		q = opened();
		name(OP_SERVE, p.fd, 0);
		slot(0)->fault = faults[i];
		ok(settled(1, 1, succeed()) && closed(0, CLOSE_FAULT) == 1 &&
			is_owned(&p, CONN_FREE, 0) && !is_open(p.fd) &&
			hears_end(&p) && echoes(&q),
		    "fault %d: that one is closed, the other lives", faults[i]);
		rig_down();
	}

	rig_up();
	p = opened();
	q = opened();
	slot(0)->op.fd = p.fd;
	slot(0)->fault = SIGSEGV;
	ok(settled(2, 0, succeed()) && closed(0, CLOSE_FAULT) == 0 &&
		echoes(&p) && echoes(&q),
	    "a fault without an operation closes none");
	rig_down();
}

static int
idle_step(struct echod_step *s)
{
	s->consume = s->in_len;
	return ECHOD_WAIT;
}

static int
refuse_migrate(uint32_t from, const void *old, size_t old_size, void *state)
{
	(void)from;
	(void)old;
	(void)old_size;
	(void)state;
	return -1;
}

/* A handler was replaced, and the state of a connection cannot be converted. */
static void
test_no_migration(void)
{
	struct echod_handler h = { .abi = ECHOD_ABI,
		.size = sizeof(h),
		.name = "another",
		.version = "2",
		.state_version = 2,
		.state_size = 8,
		.in_max = 8,
		.out_max = 8,
		.step = idle_step };
	struct pair p, q;

	for (int refuses = 0; refuses < 2; refuses++) {
		h.migrate = refuses ? refuse_migrate : NULL;
		rig_up();
		rig.own[0] = (struct worker_handler){ .successor = ENTRY_OWN +
			    1,
			.state_version = 1,
			.state_size = 4 };
		rig.own[1] = (struct worker_handler){ .h = &h,
			.state_version = 2,
			.state_size = 8 };
		q = opened();
		rig.entry = ENTRY_OWN;
		p = opened();
		(void)succeed();
		ok(closed(0, CLOSE_FAULT) == 1 && !is_open(p.fd) &&
			slot(0)->held == 1 && echoes(&q),
		    "%s: that one is closed, the other lives",
		    refuses ? "migrate() refuses" : "no migrate()");
		rig_down();
	}

	rig_up();
	rig.own[0] = (struct worker_handler){ .successor = ENTRY_OWN + 1 };
	q = opened();
	rig.entry = ENTRY_OWN;
	p = opened();
	ok(settled(1, 1, succeed()) && !is_open(p.fd) && echoes(&q),
	    "a handler that is nowhere: the same");
	rig_down();
}

static void
test_again(void)
{
	struct connection record;
	struct operation op;
	struct pair p;

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "half");
	take(&p, arena_scratch(&rig.arena, 0), 4);
	name(OP_SERVE, p.fd, 7);
	record = *p.c;
	op = slot(0)->op;
	ok(settled(1, 0, succeed()) && window_holds(&p, "half"),
	    "recovered once");
	slot(0)->op = op;
	ok(settled(1, 0, succeed()) && window_holds(&p, "half") &&
		at_positions(&p, 11, 7, 7, 7),
	    "killed before the operation was cleared: the same again");
	*p.c = record;
	slot(0)->op = op;
	ok(settled(1, 0, succeed()) && window_holds(&p, "half") &&
		at_positions(&p, 11, 7, 7, 7),
	    "killed at its start: the same");
	say(&p, " line\n");
	ok(hears(&p, "half line\n"), "and the line comes once");
	rig_down();

	/* It was settled and the operation was cleared, but the successor died
	 * before it resumed: the handler has not seen the whole line. */
	rig_up();
	p = opened();
	hold(&p, "a line\n", 0);
	ok(settled(1, 0, succeed()) && hears(&p, "a line\n"),
	    "killed between the operation's end and resuming: it is echoed");
	rig_down();
}

static void
test_adopt(void)
{
	enum {
		N = 60000
	};
	char *bytes = pattern(N);
	struct pair p, q, r;

	rig_up();
	p = opened();
	q = opened();
	r = stuck(bytes, N);
	set_registered(&r, 0, EPOLLOUT);
	r.c->flags |= CONN_WRITES;
	say(&p, "half");
	take(&p, arena_scratch(&rig.arena, 0), 4);
	name(OP_SERVE, p.fd, 0);
	worker_up(1);
	ok(settled(3, 0, recover(&rig.w, 0)) && is_owned(&p, CONN_OPEN, 1) &&
		is_owned(&q, CONN_OPEN, 1) && is_owned(&r, CONN_OPEN, 1) &&
		slot(0)->held == 0 && slot(0)->active == 0 &&
		slot(1)->held == 3,
	    "adopt: all connections change their owner");
	ok(is_watched(&p) && is_watched(&q) && is_watched(&r),
	    "adopt: removed from that epoll instance, watched here");
	ok(window_holds(&p, "half"),
	    "adopt: the scratch of that slot is saved");
	say(&p, " a line\n");
	ok(hears(&p, "half a line\n") && echoes(&q), "adopt: they go on");
	ok(settled(3, 0, (worker_up(1), recover(&rig.w, 1))) && echoes(&p) &&
		echoes(&q),
	    "and are inherited in their turn");
	ok(hears_bytes(&r, bytes, N) && is_watched(&r) && echoes(&r),
	    "adopt: one that waits to send goes on sending");
	free(bytes);
	rig_down();

	/* A death between the flags and the removal of the entry. */
	rig_up();
	p = opened();
	p.c->flags = 0;
	worker_up(1);
	ok(settled(1, 0, recover(&rig.w, 0)) && is_owned(&p, CONN_OPEN, 1) &&
		registered(&p, 1) == EPOLLIN && echoes(&p),
	    "adopt, killed over an entry, again: goes on");
	say(&p, "for slot 1\n");
	ok(settled(0, 0, succeed()) && registered(&p, 0) != 0 && silent(&p) &&
		registered(&p, 0) == 0,
	    "an entry left in the other instance is disowned there");
	worker_up(1);
	ok(settled(1, 0, recover(&rig.w, 1)) && hears(&p, "for slot 1\n") &&
		is_watched(&p),
	    "and the owner still serves it");
	rig_down();

	/* The connection at fault is closed. */
	rig_up();
	p = opened();
	q = opened();
	name(OP_SERVE, p.fd, 0);
	slot(0)->fault = SIGSEGV;
	worker_up(1);
	ok(settled(1, 1, recover(&rig.w, 0)) && closed(1, CLOSE_FAULT) == 1 &&
		!is_open(p.fd) && hears_end(&p) && is_watched(&q) && echoes(&q),
	    "adopt: the one at fault is closed");
	rig_down();
}

static void
test_insane(void)
{
	struct pair p, q;

	for (int i = 0; i < 4; i++) {
		rig_up();
		p = opened();
		q = opened();
		if (i < 2)
			stepped(&p, 5, 5, 0, 5);
		else
			stepped(&p, UINT64_MAX - 3, 0, 0, 0);
		if (i % 2 == 0)
			name(OP_SERVE, p.fd, 0);
		ok(settled(1, 1, succeed()) && is_owned(&p, CONN_FREE, 0) &&
			!is_open(p.fd) && echoes(&q),
		    "an insane record is closed (%d)", i);
		rig_down();
	}
	rig_up();
	p = opened();
	name(OP_SERVE, DESCRIPTORS + 5, 0);
	ok(settled(1, 0, succeed()) && echoes(&p), "no such descriptor");
	name(OP_SERVE, -7, 0);
	ok(settled(1, 0, succeed()) && echoes(&p), "a negative descriptor");
	rig_down();
}

int
main(void)
{
	rig_begin();
	test_accept();
	test_strangers();
	test_close();
	test_handoff();
	test_fault();
	test_no_migration();
	test_again();
	test_adopt();
	test_insane();
	return tap_done();
}
