/* SPDX-License-Identifier: ISC */
/*
 * Recovery of the connection that was being served.  For each point at which a
 * worker can die, a test makes the state that the death leaves behind on a real
 * connection; then a successor recovers it.  The client must receive every byte
 * once.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "rig.h"
#include "tap.h"
#include "worker/connection/tcp_info.h"

static char *
window_end(const struct pair *p)
{
	return arena_window(&rig.arena, p->fd) + (p->c->rx - p->c->window_base);
}

static void
test_receive_scratch(void)
{
	char *scratch;
	struct pair p;

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "hello\n");
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && at_positions(&p, 7, 7, 7, 7) &&
		is_watched(&p),
	    "before recv: nothing has happened");
	ok(hears(&p, "hello\n") && at_positions(&p, 13, 13, 13, 13),
	    "before recv: the line is echoed");
	rig_down();

	rig_up();
	p = opened();
	history(&p, "before\n");
	scratch = arena_scratch(&rig.arena, 0);
	say(&p, "hel");
	take(&p, scratch, 3);
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && at_positions(&p, 10, 7, 7, 7) &&
		window_holds(&p, "hel") && is_watched(&p),
	    "after recv, half a line: it is in the window");
	memset(scratch, 'X', SCRATCH_BYTES);
	say(&p, "lo\n");
	ok(hears(&p, "hello\n") && echoes(&p),
	    "after recv, half a line: the whole is echoed");
	rig_down();

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "one\ntwo\nthr");
	take(&p, arena_scratch(&rig.arena, 0), 6);
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && p.c->rx == 13 &&
		window_holds(&p, "tw") && hears(&p, "one\ntwo\n"),
	    "after recv, with unread bytes beside: both lines are echoed");
	say(&p, "ee\n");
	ok(hears(&p, "three\n"), "and the third when it is whole");
	rig_down();

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "hello\n");
	take(&p, arena_scratch(&rig.arena, 0), 6);
	p.c->rx = 13;
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && hears(&p, "hello\n") &&
		at_positions(&p, 13, 13, 13, 13) &&
		(p.c->flags & CONN_SPILLED) == 0,
	    "rx stored, before the handler: it is called, the line echoed");
	rig_down();
}

static void
test_receive_window(void)
{
	struct pair p;

	rig_up();
	p = opened();
	long_history(&p, 100);
	hold(&p, "half ", 100);
	say(&p, "a li");
	take(&p, window_end(&p), 4);
	name(OP_SERVE, p.fd, 0);
	memset(arena_scratch(&rig.arena, 0), 'X', SCRATCH_BYTES);
	ok(settled(1, 0, succeed()) && at_positions(&p, 109, 100, 100, 100) &&
		window_holds(&p, "half a li"),
	    "after recv into the window: rx follows");
	say(&p, "ne\n");
	ok(hears(&p, "half a line\n"), "and the line is echoed when whole");
	rig_down();

	rig_up();
	p = opened();
	hold(&p, "half ", 0);
	say(&p, "a line\n");
	take(&p, window_end(&p), 7);
	p.c->rx += 7;
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && hears(&p, "half a line\n") &&
		at_positions(&p, 12, 12, 12, 12) &&
		(p.c->flags & CONN_SPILLED) == 0,
	    "window, rx stored, before the handler: the line is echoed");
	rig_down();

	rig_up();
	p = opened();
	hold(&p, "half ", 0);
	say(&p, "a line\nrest");
	take(&p, window_end(&p), 7);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && hears(&p, "half a line\n") &&
		window_holds(&p, "rest"),
	    "window, with unread bytes beside");
	rig_down();
}

static void
half_close(const struct pair *p)
{
	struct pollfd hup = { p->fd, POLLRDHUP, 0 };

	checked(shutdown(p->client, SHUT_WR), "shutdown");
	if (poll(&hup, 1, PATIENCE) != 1)
		die("half_close");
}

/* The client has sent "last" without a newline, and its FIN.  The dead worker
 * had received `taken` bytes of it and, if `fin`, the FIN. */
static void
end_is_sent(size_t taken, bool fin, const char *what)
{
	struct pair p;
	char got[8], c;
	bool end;

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "last");
	half_close(&p);
	if (taken > 0)
		take(&p, arena_scratch(&rig.arena, 0), taken);
	if (fin && recv(p.fd, &c, 1, MSG_DONTWAIT) != 0)
		die("recv");
	if (fin) {
		p.c->rx += taken;
		memcpy(arena_window(&rig.arena, p.fd), "last", 4);
		p.c->window_base = 7;
		p.c->flags |= CONN_SPILLED;
		p.c->blocks = 1;
	}
	name(OP_SERVE, p.fd, fin ? 0 : 7);
	ok(settled(1, 0, succeed()) && p.c->rx == 7 + taken,
	    "%s: the FIN is no byte", what);
	ok(hear(&p, got, 4) == 4 && memcmp(got, "last", 4) == 0,
	    "%s: the bytes come", what);
	end = hears_end(&p);
	ok(end && closed(0, CLOSE_EOF) == 1 && slot(0)->held == 0 &&
		is_owned(&p, CONN_FREE, 0),
	    "%s: then the end", what);
	rig_down();
}

static void
test_urgent(void)
{
	uint64_t rx = 0, tx = 0;
	struct pair p;
	char got[16];

	rig_up();
	p = opened();
	checked((int)send(p.client, "!", 1, MSG_OOB), "send");
	say(&p, "hello\n");
	(void)succeed();
	for (int i = 0; i < 5; i++)
		turn(2);
	/* It is echoed or skipped, as SO_OOBINLINE of the listener says. */
	ok(recv(p.client, got, sizeof(got), MSG_DONTWAIT) >= 6 &&
		tcp_info_positions(p.fd, &rx, &tx) && rx == p.c->rx &&
		tx == p.c->tx,
	    "urgent data is counted as the kernel counts it");
	name(OP_SERVE, p.fd, p.c->rx);
	(void)succeed();
	ok(silent(&p) && connection_pending(p.c) == 0,
	    "and does not look like bytes received and lost");
	rig_down();
}

static void
test_handler(void)
{
	struct pair p;

	rig_up();
	p = opened();
	say(&p, "hello\nwor");
	take(&p, arena_scratch(&rig.arena, 0), 9);
	p.c->rx = 9;
	passed(&p, 6);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && at_positions(&p, 9, 6, 6, 6) &&
		window_holds(&p, "wor") && hears(&p, "hello\n"),
	    "released and not sent: it is sent");
	rig_down();

	rig_up();
	rig.entry = ENTRY_DISCARD;
	p = opened();
	say(&p, "rubbish");
	take(&p, arena_scratch(&rig.arena, 0), 7);
	p.c->rx = 7;
	stepped(&p, 7, 0, 0, 0);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && at_positions(&p, 7, 0, 7, 0) &&
		silent(&p),
	    "drop half done: dropped bytes are not sent");
	say(&p, "more");
	ok(silent(&p) && at_positions(&p, 11, 0, 11, 0),
	    "drop half done: it goes on");
	rig_down();

	rig_up();
	rig.entry = ENTRY_DISCARD;
	p = opened();
	say(&p, "rubbish");
	take(&p, arena_scratch(&rig.arena, 0), 7);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && at_positions(&p, 7, 0, 7, 0) &&
		silent(&p),
	    "before the drop: it is dropped");
	rig_down();
}

enum sent {
	SENT_UNSTORED,
	SENT_STORED,
	SPILLED_NO_FLAG
};

/* The client does not read: the dead worker sent a part only. */
static void
short_send(enum sent point, const char *what)
{
	enum {
		N = 60000
	};
	char *scratch, *bytes = pattern(N);
	int small = 4096;
	struct pair p;
	size_t n;

	rig_up();
	p = accepted(2048);
	enter(&p, 0);
	checked(setsockopt(p.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    "setsockopt");
	scratch = arena_scratch(&rig.arena, 0);
	say_bytes(&p, bytes, N);
	for (n = 0; n < N;) {
		ssize_t r = recv(p.fd, scratch + n, N - n, MSG_DONTWAIT);

		if (r > 0)
			n += (size_t)r;
		else
			await(p.fd, POLLIN);
	}
	p.c->rx = N;
	passed(&p, N);
	name(OP_SERVE, p.fd, 0);
	n = send_back(&p, scratch, N);
	if (point >= SENT_STORED)
		p.c->tx = n;
	if (point == SPILLED_NO_FLAG) {
		memcpy(arena_window(&rig.arena, p.fd), scratch + n, N - n);
		p.c->window_base = n;
	}
	ok(n < N && settled(1, 0, succeed()) && p.c->tx >= n && p.c->tx < N &&
		(p.c->flags & CONN_SPILLED) != 0 &&
		connection_unsent(p.c) > 0 && is_watched(&p),
	    "%s: the rest is in the window", what);
	memset(scratch, 'X', SCRATCH_BYTES);
	ok(hears_bytes(&p, bytes, N) && at_positions(&p, N, N, N, N) &&
		(p.c->flags & CONN_SPILLED) == 0 && echoes(&p),
	    "%s: all comes, once", what);
	free(bytes);
	rig_down();
}

static void
test_send(void)
{
	struct pair p;
	char *window;

	rig_up();
	p = opened();
	say(&p, "hello\nwor");
	take(&p, arena_scratch(&rig.arena, 0), 9);
	p.c->rx = 9;
	passed(&p, 6);
	name(OP_SERVE, p.fd, 0);
	(void)send_back(&p, "hello\n", 6);
	ok(settled(1, 0, succeed()) && at_positions(&p, 9, 6, 6, 6) &&
		window_holds(&p, "wor") && hears(&p, "hello\n"),
	    "sent, tx not stored: not sent twice");
	say(&p, "ld\n");
	ok(hears(&p, "world\n"), "sent, tx not stored: goes on");
	rig_down();

	short_send(SENT_UNSTORED, "short send, tx not stored");
	short_send(SENT_STORED, "short send, tx stored, not spilled");
	short_send(SPILLED_NO_FLAG, "short send, spilled but for the flag");

	rig_up();
	p = opened();
	long_history(&p, SPILL_LINE + 1);
	hold(&p, "half", SPILL_LINE + 1);
	window = arena_window(&rig.arena, p.fd);
	memcpy(window, "half", 4);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && window_holds(&p, "half"),
	    "make_room, base not stored: the bytes are where they were");
	say(&p, " a line\n");
	ok(hears(&p, "half a line\n"), "make_room, base not stored: echoed");
	rig_down();

	for (int flag = 0; flag < 2; flag++) {
		rig_up();
		p = opened();
		hold(&p, "line\n", 0);
		(void)send_back(&p, "line\n", 5);
		p.c->tx = 5;
		passed(&p, 5);
		if (flag == 0)
			p.c->flags &= (uint8_t)~CONN_SPILLED;
		name(OP_SERVE, p.fd, 0);
		ok(settled(1, 0, succeed()) && hears(&p, "line\n") &&
			(p.c->flags & CONN_SPILLED) == 0 && echoes(&p),
		    "nothing pending, SPILLED %s", flag ? "set" : "cleared");
		rig_down();
	}
}

static void
test_finish(void)
{
	struct pair p;

	for (int done = 0; done < 2; done++) {
		rig_up();
		p = opened();
		history(&p, "before\n");
		p.c->limit = 7;
		p.c->phase = PHASE_FINISHING;
		if (done)
			checked(shutdown(p.fd, SHUT_WR), "shutdown");
		ok(settled(1, 0, succeed()) && p.c->phase == PHASE_LINGERING &&
			p.c->quiet_since != 0 && hears_end(&p),
		    "finishing, shutdown %s: lingers",
		    done ? "done" : "not done");
		checked(shutdown(p.client, SHUT_WR), "shutdown");
		for (int i = 0; i < 20 && slot(0)->held > 0; i++)
			turn(20);
		ok(closed(0, CLOSE_DRAINED) == 1 && !is_open(p.fd),
		    "finishing: and ends");
		rig_down();
	}

	rig_up();
	p = opened();
	say(&p, "first\nsecond");
	p.c->limit = 12;
	p.c->phase = PHASE_FINISHING;
	take(&p, arena_scratch(&rig.arena, 0), 6);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && p.c->rx == 6 &&
		p.c->phase == PHASE_FINISHING,
	    "finishing, read in part");
	{
		char got[12];

		ok(hear(&p, got, 12) == 12 &&
			memcmp(got, "first\nsecond", 12) == 0 && hears_end(&p),
		    "finishing: up to the limit is echoed, then the FIN");
	}
	rig_down();

	rig_up();
	p = opened();
	history(&p, "before\n");
	p.c->phase = PHASE_LINGERING;
	p.c->drained = 1;
	p.c->quiet_since = p.c->limit = clock_ms();
	checked(shutdown(p.fd, SHUT_WR), "shutdown");
	say(&p, "too late\n");
	take(&p, arena_scratch(&rig.arena, 0), 5);
	p.c->rx += 5;
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && at_positions(&p, 12, 7, 7, 7) &&
		p.c->phase == PHASE_LINGERING && hears_end(&p),
	    "lingering, read and not dropped: nothing pending");
	checked(shutdown(p.client, SHUT_WR), "shutdown");
	for (int i = 0; i < 20 && slot(0)->held > 0; i++)
		turn(20);
	ok(closed(0, CLOSE_DRAINED) == 1, "lingering: ends");
	rig_down();
}

int
main(void)
{
	rig_begin();
	test_receive_scratch();
	test_receive_window();
	end_is_sent(0, false, "data and FIN unread");
	end_is_sent(2, false, "data read in part, FIN unread");
	end_is_sent(4, false, "data read, FIN unread");
	end_is_sent(4, true, "data and FIN read");
	test_handler();
	test_send();
	test_finish();
	test_urgent();
	return tap_done();
}
