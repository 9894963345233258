/* SPDX-License-Identifier: ISC */
/*
 * Recovery, without assumptions about the state that a death leaves behind.  A
 * real worker process is traced step by step through an operation and killed
 * after every so many instructions: SIGKILL may come between any two.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../model/handlers.h"
#include "rig.h"
#include "tap.h"
#include "worker/balance/handoff.h"
#include "worker/connection/close.h"
#include "worker/connection/serve.h"

/* Steps over all kills of a case; this bounds its time.  The environment may
 * set RECOVER_STEPS: 1000000 means every instruction, and takes minutes. */
#define STEPS 10000
#define STEPS_SHORT (4 * STEPS) /* the dangerous part is short */

enum act {
	ACT_SERVE,
	ACT_RESUME,
	ACT_TIMERS,
	ACT_RECOVER,
	ACT_CLOSE,
	ACT_OFFER,
	ACT_ACCEPT,
	ACT_ADOPT,
	ACT_BLAME
};

struct journey {
	const char *what;
	enum act act;
	unsigned handler;
	const char *held;  /* in the window already */
	const char *said;  /* in the socket */
	const char *more;  /* said after the death */
	const char *reply; /* all output that must come */
	bool stop;	   /* FINISHING, with `said` as the limit */
	/* The handler at ENTRY_OWN; its reply is that of the reference. */
	const struct echod_handler *own;
	const struct echod_handler *next; /* which replaces it */
	bool ends;			  /* by itself */
};

/* One byte in, many out: in few instructions, and none that repeats itself,
 * which would be counted each time. */
#define FLOOD 6000

static void
flood_of(char *to, char c)
{
	for (size_t i = 0; i < FLOOD; i += 500)
		memset(to + i, c + (char)(i / 500), 500);
}

static int
flood_step(struct echod_step *s)
{
	if (s->in_len > 0) {
		flood_of(s->out, s->in[0]);
		s->consume = 1;
		s->write = FLOOD;
	}
	return ECHOD_WAIT;
}

static const struct echod_handler flood = { .abi = ECHOD_ABI,
	.size = sizeof(flood),
	.name = "flood",
	.version = "1",
	.in_max = 8,
	.out_max = FLOOD,
	.step = flood_step };

static const struct journey journeys[] = {
	{ "a line", ACT_SERVE, ENTRY_ECHO, "", "hello\n", "again\n",
	    "hello\nagain\n", false, NULL, NULL, false },
	{ "half a line", ACT_SERVE, ENTRY_ECHO, "", "one\ntw", "o\n",
	    "one\ntwo\n", false, NULL, NULL, false },
	{ "the other half", ACT_SERVE, ENTRY_ECHO, "on", "e\ntw", "o\n",
	    "one\ntwo\n", false, NULL, NULL, false },
	{ "raw", ACT_SERVE, ENTRY_RAW, "", "raw", "data", "rawdata", false,
	    NULL, NULL, false },
	{ "discard", ACT_SERVE, ENTRY_DISCARD, "", "rubbish", "more", "", false,
	    NULL, NULL, false },
	{ "the last words", ACT_SERVE, ENTRY_ECHO, "la", "st", "", "last", true,
	    NULL, NULL, false },
	{ "recovery of a line", ACT_RECOVER, ENTRY_ECHO, "", "hello\n", "",
	    "hello\n", false, NULL, NULL, false },
	{ "recovery of half a line", ACT_RECOVER, ENTRY_ECHO, "", "o\ntw",
	    "o\n", "o\ntwo\n", false, NULL, NULL, false },
	{ "closing over half a line", ACT_CLOSE, ENTRY_ECHO, "on", "", "e\n",
	    "one\n", false, NULL, NULL, false },
	{ "offering half a line", ACT_OFFER, ENTRY_ECHO, "on", "", "e\n",
	    "one\n", false, NULL, NULL, false },
	{ "offering a line unread", ACT_OFFER, ENTRY_ECHO, "", "one\n", "two\n",
	    "one\ntwo\n", false, NULL, NULL, false },
	{ "accepting half a line", ACT_ACCEPT, ENTRY_ECHO, "on", "", "e\n",
	    "one\n", false, NULL, NULL, false },
	{ "adopting half a line", ACT_ADOPT, ENTRY_ECHO, "", "on", "e\n",
	    "one\n", false, NULL, NULL, false },
	{ "adopting one at fault", ACT_BLAME, ENTRY_ECHO, "", "on", "", "",
	    false, NULL, NULL, false },
	{ "adopting a line", ACT_ADOPT, ENTRY_ECHO, "", "one\n", "", "one\n",
	    false, NULL, NULL, false },
	{ .what = "a copy", .said = "ab", .more = "cd", .own = &scene_copy },
	{ .what = "a sum", .said = "abc", .more = "de", .own = &scene_sum },
	{ .what = "recovery of a sum",
	    .act = ACT_RECOVER,
	    .said = "abc",
	    .more = "de",
	    .own = &scene_sum },
	{ .what = "adopting a sum",
	    .act = ACT_ADOPT,
	    .said = "abc",
	    .more = "de",
	    .own = &scene_sum },
	{ .what = "pieces",
	    .said = "abcdefg",
	    .more = "h",
	    .own = &scene_pieces },
	{ .what = "a timer that is set", .said = "ab", .own = &scene_tick },
	{ .what = "a timer that is due",
	    .act = ACT_TIMERS,
	    .held = "ab",
	    .more = "c",
	    .own = &scene_later },
	{ .what = "a greeting and the end",
	    .act = ACT_RESUME,
	    .own = &scene_daytime,
	    .ends = true },
	{ .what = "letters, one step after the other",
	    .act = ACT_RESUME,
	    .more = "a",
	    .own = &scene_chargen },
	{ .what = "migration",
	    .act = ACT_RESUME,
	    .more = "ab",
	    .own = &scene_sum,
	    .next = &scene_sum_next },
	{ .what = "migration to the same size",
	    .act = ACT_RESUME,
	    .more = "ab",
	    .own = &scene_sum,
	    .next = &scene_sum_small },
	{ .what = "migration in the recovery of a sum",
	    .act = ACT_RECOVER,
	    .said = "abc",
	    .more = "de",
	    .own = &scene_sum,
	    .next = &scene_sum_next },
	{ .what = "more output than the socket takes",
	    .said = "abc",
	    .more = "d",
	    .own = &flood },
};

/* What the rig's handlers have of a journey. */
static void
hire(const struct journey *j)
{
	const struct echod_handler *h = j->own, *next = j->next;

	rig.entry = ENTRY_OWN;
	rig.own[0] = (struct worker_handler){ .h = next == NULL ? h : NULL,
		.successor = ENTRY_OWN + 1,
		.state_version = h->state_version,
		.state_size = h->state_size };
	if (next != NULL)
		rig.own[1] = (struct worker_handler){ .h = next,
			.state_version = next->state_version,
			.state_size = next->state_size };
}

/* All output that must come. */
static const char *
reply_of(const struct journey *j, size_t *n)
{
	static char text[FLOOD * 8], said[32];
	static struct reference r;

	if (j->own == NULL) {
		*n = strlen(j->reply);
		return j->reply;
	}
	snprintf(said, sizeof(said), "%s%s%s", j->held, j->said, j->more);
	if (j->own != &flood) {
		reference_run(j->own, said, strlen(said), false, &r);
		*n = r.length;
		return r.out;
	}
	*n = strlen(said) * FLOOD;
	for (size_t i = 0; said[i] != '\0'; i++)
		flood_of(text + i * FLOOD, said[i]);
	return text;
}

/* The child: slot 0's worker, or the sibling that adopts the slot. */
static void
live(const struct pair *p, enum act act)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		_exit(1);
	(void)raise(SIGTRAP);
	if (act == ACT_SERVE)
		serve(&rig.w, p->fd, EPOLLIN);
	else if (act == ACT_RESUME)
		serve_resume(&rig.w, p->fd);
	else if (act == ACT_TIMERS)
		serve_timers(&rig.w);
	else if (act == ACT_RECOVER || act == ACT_ADOPT || act == ACT_BLAME)
		(void)recover(&rig.w, 0);
	else if (act == ACT_OFFER)
		balance(&rig.balance, &rig.w);
	else if (act == ACT_ACCEPT)
		handoff_accept(&rig.w);
	else
		close_connection(&rig.w, p->fd, CLOSE_IDLE, 0);
	_exit(0);
}

/* Let a worker live for `steps` instructions at most; returns how many it
 * lived for, -1 if it cannot be traced. */
static long
kill_after(const struct pair *p, enum act act, long steps)
{
	long n = 0;
	int status;
	/* Shares the descriptor table, as a worker does. */
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL,
	    NULL, NULL);

	if (pid == 0)
		live(p, act);
	checked(pid, "clone");
	checked(waitpid(pid, &status, 0), "waitpid");
	if (!WIFSTOPPED(status))
		return -1;
	while (n < steps && ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0) {
		checked(waitpid(pid, &status, 0), "waitpid");
		if (!WIFSTOPPED(status))
			return n;
		n++;
	}
	(void)kill(pid, SIGKILL);
	checked(waitpid(pid, &status, 0), "waitpid");
	return n;
}

/* The state that a journey begins with. */
static struct pair
depart(const struct journey *j)
{
	struct pair p, other;
	int small = 4096;

	rig_up();
	rig.entry = j->handler;
	if (j->own != NULL)
		hire(j);
	if (j->own == &flood) {
		p = accepted(2048);
		enter(&p, 0);
		checked(setsockopt(p.fd, SOL_SOCKET, SO_SNDBUF, &small,
			    sizeof(small)),
		    "setsockopt");
	} else
		p = j->act == ACT_ACCEPT ? offered(1, 0) : opened();
	if (j->act == ACT_RESUME && j->next == NULL)
		half_of(&p)->delivered = 0;
	if (*j->held != '\0')
		hold(&p, j->held, 0);
	if (*j->said != '\0')
		say(&p, j->said);
	if (j->stop) {
		p.c->limit = p.c->rx + strlen(j->said);
		p.c->phase = PHASE_FINISHING;
	}
	worker_up(j->act == ACT_ADOPT || j->act == ACT_BLAME ? 1 : 0);
	switch (j->act) {
	case ACT_RECOVER:
	case ACT_ADOPT:
	case ACT_BLAME:
		slot(0)->fault = j->act == ACT_BLAME ? SIGSEGV : 0;
		take(&p, arena_scratch(&rig.arena, 0), strlen(j->said));
		name(OP_SERVE, p.fd, 0);
		break;
	case ACT_TIMERS:
		half_of(&p)->wake = 1;
		serve_arm(&rig.w, p.fd, 1);
		break;
	case ACT_ACCEPT:
		arena_handoff(&rig.arena, 0)[p.fd / 64] = UINT64_C(1)
		    << (p.fd % 64);
		break;
	case ACT_OFFER:
		/* Of two, the second is offered. */
		other = opened();
		other.c->active = p.c->active = CONNECTION_INACTIVE;
		active_touch(&rig.w.active, other.fd);
		active_touch(&rig.w.active, p.fd);
		slot(1)->state = SLOT_READY;
		break;
	default:
		p.c->active = CONNECTION_INACTIVE;
		active_touch(&rig.w.active, p.fd);
	}
	return p;
}

static void
inherit(unsigned k)
{
	worker_up(k);
	(void)recover(&rig.w, k);
	handoff_accept(&rig.w);
}

/* The workers after the death.  In the end the rig is the worker that has the
 * connection, if any has.  There may be two ways to that. */
static void
come_after(enum act act, const struct pair *p, bool odd)
{
	if (act == ACT_ADOPT || act == ACT_BLAME) {
		inherit(1);
		if (odd)
			inherit(0);
		else
			(void)recover(&rig.w, 0);
	} else {
		inherit(0);
		if (act == ACT_OFFER && odd)
			handoff_withdraw(&rig.w);
	}
	if (rig.w.number == 0 &&
	    (is_owned(p, CONN_OPEN, 1) || is_owned(p, CONN_OFFERED, 1)))
		inherit(1);
}

/* After recovery: true if the client receives what it must. */
static bool
arrive(const struct journey *j, const struct pair *p)
{
	static char got[FLOOD * 8];
	const char *reply;
	size_t n;

	reply = reply_of(j, &n);
	if (j->act == ACT_BLAME || (j->act == ACT_CLOSE && slot(0)->held == 0))
		return hears_end(p) && !is_open(p->fd) &&
		    slot(0)->held + slot(1)->held == 0;
	if (*j->more != '\0')
		(void)!send(p->client, j->more, strlen(j->more), MSG_NOSIGNAL);
	if (j->stop || j->ends)
		return hear(p, got, n) == n && memcmp(got, reply, n) == 0 &&
		    hears_end(p);
	return hears_bytes(p, reply, n) &&
	    is_owned(p, CONN_OPEN, rig.w.number) &&
	    slot(0)->held + slot(1)->held == (j->act == ACT_OFFER ? 2 : 1) &&
	    registered(p, rig.w.number) == EPOLLIN &&
	    p->c->rx == strlen(j->held) + strlen(j->said) + strlen(j->more);
}

/* True if a worker of this journey put output into the window. */
static bool spilled;

/* Live for `*steps` instructions, die, be recovered. */
static bool
travel(const struct journey *j, long *steps)
{
	struct pair p = depart(j);
	bool good;

	*steps = kill_after(&p, j->act, *steps);
	if ((p.c->flags & CONN_OUTPUT) != 0)
		spilled = true;
	come_after(j->act, &p, *steps % 2 == 1);
	memset(arena_scratch(&rig.arena, 0), 'X', SCRATCH_BYTES);
	good = arrive(j, &p);
	rig_down();
	return good;
}

/* A journey, with all its texts. */
static const struct journey *
journey(size_t i)
{
	static struct journey j;

	j = journeys[i];
	j.held = j.held == NULL ? "" : j.held;
	j.said = j.said == NULL ? "" : j.said;
	j.more = j.more == NULL ? "" : j.more;
	return &j;
}

/* One processor for both: switching between two takes longer. */
static void
stay_here(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void
test_steps(void)
{
	stay_here();
	for (size_t i = 0; i < sizeof(journeys) / sizeof(*journeys); i++) {
		const struct journey *j = journey(i);
		const char *steps = getenv("RECOVER_STEPS");
		long whole = 1000000, stride, at, bad = -1;
		unsigned kills = 0;

		spilled = false;

		if (!travel(j, &whole) || whole <= 0) {
			ok(whole == -1, "%s%s", j->what,
			    whole == -1 ? " # SKIP cannot trace"
					: ": not killed at all");
			continue;
		}
		stride = whole * whole / 2 /
			(steps != NULL ? atol(steps)
				: j->act == ACT_CLOSE || j->act == ACT_BLAME ||
				    j->own == &flood
				? STEPS_SHORT
				: STEPS) +
		    1;
		stride |= 1; /* odd and even numbers */
		for (long n = 0; n < whole && bad == -1; n += stride) {
			at = n;
			kills++;
			if (!travel(j, &at))
				bad = n;
		}
		ok(bad == -1 && spilled == (j->own == &flood),
		    "%s: killed at %u of %ld instructions", j->what, kills,
		    whole);
		if (bad != -1)
			printf("# wrong when killed after %ld\n", bad);
	}
}

int
main(void)
{
	rig_begin();
	handlers_begin();
	test_steps();
	return tap_done();
}
