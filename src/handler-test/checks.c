/* SPDX-License-Identifier: ISC */
/*
 * The promises, tried with one conversation: a run without any trouble says
 * which output is right, and others must have the same.
 */
#include "handler-test/checks.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handler-test/run.h"
#include "handler-test/text.h"

#define CHECKS_POSITIONS 64 /* of an input, at most */
#define CHECKS_DEATHS 600   /* of a run, at most */
#define CHECKS_PAIRS 300    /* ... of two deaths, one soon after the other */
#define CHECKS_SOON 40
#define CHECKS_WORK 2000000 /* points of all these runs, about */
#define CHECKS_FEW 4
#define CHECKS_RANDOM 24  /* random cuts */
#define CHECKS_WIRE 65536 /* output that is compared, and as often the input */
#define CHECKS_SHOWN 40	  /* bytes of a difference */
#define CHECKS_HOUR 3600000
#define CHECKS_DAYS 1000000007

static const struct module *module;

/* What is known of this conversation. */
static struct {
	const struct check *check;
	enum ending ending; /* without any trouble */
	char *out;
	size_t out_size;
	bool timed;   /* it set a timer */
	bool random;  /* it does not do the same twice */
	bool clocked; /* its output depends on the clock */
	uint64_t seed;
} known;

void
checks_begin(const struct module *m)
{
	module = m;
	run_begin(m);
	known.out = malloc(1 << 20);
	if (known.out == NULL)
		err(2, "malloc");
}

static struct scenario
checks_scenario(void)
{
	return (struct scenario){
		.input = known.check->input,
		.size = known.check->size,
		.cut = known.check->size,
		.timers = 3,
		.place.poison = 0xa5,
	};
}

static bool
checks_wants(enum promise p)
{
	enum promise aim = known.check->aim;

	if (tester_broken(p) || (aim != 0 && tester_broken(aim)))
		return false;
	/* These are looked at in every step. */
	return aim == 0 || aim == p || aim == PROMISE_FULL ||
	    aim == PROMISE_BOUNDS || aim == PROMISE_CALLS;
}

/* Nothing is compared after a promise on which the others rest. */
static bool
checks_sound(void)
{
	return !tester_broken(PROMISE_MOVED) && !tester_broken(PROMISE_CUT) &&
	    !tester_broken(PROMISE_REPEAT) && !tester_broken(PROMISE_BOUNDS);
}

/* Where the outputs differ, or SIZE_MAX. */
static size_t
checks_difference(const struct outcome *o)
{
	size_t n = o->out_size < known.out_size ? o->out_size : known.out_size;
	bool prefix = o->ending == RUN_ENDLESS || known.ending == RUN_ENDLESS ||
	    (o->ending == RUN_RESET && known.ending == RUN_RESET);

	for (size_t i = 0; i < n; i++)
		if (o->out[i] != known.out[i])
			return i;
	if (o->ending != known.ending && o->ending != RUN_ENDLESS &&
	    known.ending != RUN_ENDLESS)
		return n;
	return prefix || o->out_size == known.out_size ? SIZE_MAX : n;
}

static const char *
checks_show(char *to, const char *out, size_t size, size_t at)
{
	size_t from = at < CHECKS_SHOWN / 2 ? 0 : at - CHECKS_SHOWN / 2;

	return text_quote(to, out + from, size - from, CHECKS_SHOWN);
}

/* The outcome must be the known one. */
static bool
checks_same(enum promise p, const struct outcome *o, uint32_t event,
    const char *how)
{
	char want[TEXT_ROOM(CHECKS_SHOWN)], got[TEXT_ROOM(CHECKS_SHOWN)];
	size_t at;

	if (o->ending == RUN_BROKE || known.ending == RUN_BROKE || known.random)
		return true;
	at = checks_difference(o);
	if (at == SIZE_MAX)
		return true;
	tester_found(p, event,
	    "%s; at byte %zu of the output: expected %s and %s, got %s and %s",
	    how, at, checks_show(want, known.out, known.out_size, at),
	    run_ending(known.ending), checks_show(got, o->out, o->out_size, at),
	    run_ending(o->ending));
	return false;
}

static bool
checks_run_same(enum promise p, const struct scenario *s, const char *how)
{
	struct outcome o;

	run_scenario(s, &o);
	return checks_same(p, &o, 0, how);
}

/* Learn what is right. */
static void
checks_learn(void)
{
	struct scenario s = checks_scenario();
	struct outcome o;

	known.random = known.clocked = known.timed = false;
	run_limit(CHECKS_WIRE + 8 * s.size);
	module_renew();
	run_scenario(&s, &o);
	if (o.ending == RUN_ENDLESS) {
		/* A little of it says as much as all of it. */
		run_limit(2 * (size_t)module->handler->out_max + 256);
		module_renew();
		run_scenario(&s, &o);
	}
	memcpy(known.out, o.out, o.out_size);
	known.out_size = o.out_size;
	known.ending = o.ending;
	known.timed = o.timed;
	for (int i = 0; i < 3 && !known.random; i++) {
		module_renew();
		run_scenario(&s, &o);
		known.random = checks_difference(&o) != SIZE_MAX;
	}
	s.clock = CHECKS_DAYS;
	module_renew();
	run_scenario(&s, &o);
	known.clocked = checks_difference(&o) != SIZE_MAX;
}

static void
checks_bounds(void)
{
	struct scenario s = checks_scenario();

	s.place.in_front = true;
	module_renew();
	if (checks_run_same(PROMISE_BOUNDS, &s,
		"its input was at another address")) {
		s.place.poison = 0x5a;
		module_renew();
		(void)checks_run_same(PROMISE_BOUNDS, &s,
		    "unused memory had another content, so it was read");
	}
}

/* Or it is another promise that is broken. */
static bool
checks_is_same_unmoved(struct scenario s)
{
	struct outcome o;

	s.place.move = s.place.renew = false;
	run_scenario(&s, &o);
	return checks_difference(&o) == SIZE_MAX;
}

static void
checks_moved(void)
{
	struct scenario s = checks_scenario();

	/* The static variables are as the run before has left them. */
	if (!checks_run_same(PROMISE_MOVED, &s,
		"after another connection of the same worker"))
		return;
	s.place.move = true;
	if (!checks_run_same(PROMISE_MOVED, &s,
		"state and config have moved in each step"))
		return;
	s.place.renew = true;
	if (!checks_run_same(PROMISE_MOVED, &s,
		"each step was made by another worker"))
		return;
	s.piece = 1;
	s.cut = 0;
	s.open_first = true;
	if (checks_is_same_unmoved(s))
		(void)checks_run_same(PROMISE_MOVED, &s,
		    "one byte at a time, and each step by another worker");
}

/* A position of the input that is to be tried: all of a short one, those that
 * matter of a long one. */
static size_t
checks_position(size_t i)
{
	size_t n = known.check->size, max = module->handler->in_max;
	size_t quarter = CHECKS_POSITIONS / 4;

	if (n < CHECKS_POSITIONS || i < quarter)
		return i;
	if (i < 2 * quarter)
		return n - (i - quarter);
	if (i < 3 * quarter) {
		size_t at = max * (1 + (i - 2 * quarter) / 3) +
		    (i - 2 * quarter) % 3 - 1;

		return at < n ? at : at % n;
	}
	return tester_random(&known.seed) % n;
}

static size_t
checks_positions(void)
{
	size_t n = known.check->size + 1;

	if (known.check->light && n > 8)
		return 8;
	return n < CHECKS_POSITIONS ? n : CHECKS_POSITIONS;
}

static void
checks_cut(void)
{
	struct scenario s = checks_scenario();
	char how[96];

	for (size_t i = 0; i < checks_positions(); i++) {
		s.cut = checks_position(i);
		s.open_first = s.cut == 0;
		snprintf(how, sizeof(how), "cut at byte %zu%s", s.cut,
		    s.open_first ? ", all of it after OPEN" : "");
		if (!checks_run_same(PROMISE_CUT, &s, how))
			return;
	}
	s.cut = 0;
	s.piece = 1;
	for (int i = 0; i < 2; i++) {
		s.open_first = i == 1;
		if (!checks_run_same(PROMISE_CUT, &s, "one byte at a time"))
			return;
	}
	s.piece = 0;
	for (int i = 0; i < (known.check->light ? 2 : CHECKS_RANDOM); i++) {
		s.seed = tester_random(&known.seed) | 1;
		s.recv_max = i % 4 == 0 ? 1 : 0;
		s.send_max = i % 3 == 0 ? 1 : 0;
		s.open_first = i % 2 == 1;
		if (!checks_run_same(PROMISE_CUT, &s, "cut at random"))
			return;
	}
	/* A timer that is set does not come any more. */
	s = checks_scenario();
	s.end_at_once = true;
	if (!known.timed && known.ending != RUN_ENDLESS)
		(void)checks_run_same(PROMISE_CUT, &s,
		    "with the client's FIN at once");
}

static void
checks_repeat(void)
{
	struct scenario s = checks_scenario();
	struct outcome o;

	s.repeat = true;
	s.piece = 1;
	s.cut = 0;
	run_scenario(&s, &o);
	s.piece = 0;
	for (size_t i = 0;
	     i < checks_positions() && !tester_broken(PROMISE_REPEAT); i++) {
		s.cut = checks_position(i);
		run_scenario(&s, &o);
	}
}

/* The end at `size` bytes, in one of some ways. */
static bool
checks_ends(size_t size, unsigned way)
{
	struct scenario s = checks_scenario();
	struct outcome o;

	s.size = s.cut = size;
	s.end_at_once = way & 1;
	s.drain = way & 2;
	s.timers = way & 1 ? 0 : 1;
	s.to_the_end = s.end_at_once;
	if (way & 4) {
		s.reads_last = true;
		s.room = 1 + module->handler->out_max / 3;
	}
	run_scenario(&s, &o);
	if (o.ending != RUN_STUCK && !(o.ending == RUN_ENDLESS && s.to_the_end))
		return true;
	/* A client that goes on reading may get more; a drain ends. */
	if (!s.drain && o.total > o.out_size)
		return true;
	if (tester_broken(PROMISE_TIMER))
		return true;
	tester_found(PROMISE_END, tester->event,
	    "%s at byte %zu%s; expected FIN or a reset, got %s",
	    s.drain ? "a drain" : "the client's FIN", size,
	    s.reads_last ? ", with output blocked" : "", run_ending(o.ending));
	return false;
}

static void
checks_end(void)
{
	unsigned ways = known.check->light ? 4 : 8;

	for (size_t i = 0; i < checks_positions(); i++)
		for (unsigned way = 0; way < ways; way++)
			if (!checks_ends(checks_position(i), way))
				return;
}

static void
checks_timer(void)
{
	struct scenario s = checks_scenario();

	if (!known.timed)
		return;
	for (int i = 0; i < 2; i++) {
		s.late = i == 0 ? 1 : CHECKS_HOUR;
		if (known.clocked) {
			struct outcome o;

			run_scenario(&s, &o);
		} else if (!checks_run_same(PROMISE_TIMER, &s,
			       i == 0 ? "a timer came 1 ms late"
				      : "a timer came an hour late"))
			return;
	}
}

static void
checks_redo(void)
{
	struct scenario s = checks_scenario();

	s.deaths.each_step = true;
	s.renew = !tester_broken(PROMISE_MOVED);
	s.later = !known.clocked;
	if (!checks_run_same(PROMISE_REDO, &s,
		"each step was cut short and made again") ||
	    tester_broken(PROMISE_CUT))
		return;
	s.open_first = true;
	s.cut = 0;
	s.piece = 1;
	if (!checks_run_same(PROMISE_REDO, &s,
		"one byte at a time, each step was cut short and made again"))
		return;
	s.more = true;
	(void)checks_run_same(PROMISE_REDO, &s,
	    "each step was cut short and made again with more input");
}

static bool
checks_kill(struct scenario *s, const char *how)
{
	struct outcome o;
	char text[128];

	run_scenario(s, &o);
	snprintf(text, sizeof(text), "%s at point %llu%s, the last step was %s",
	    s->deaths.count == 2 ? "a kill, and one of its successor,"
				 : "a kill",
	    (unsigned long long)s->deaths.at[0], how,
	    tester_event(o.killed_in));
	if (o.ending == RUN_STUCK && known.ending != RUN_STUCK &&
	    known.random) {
		tester_found(PROMISE_KILL, o.killed_in, "%s: it is stuck",
		    text);
		return false;
	}
	return checks_same(PROMISE_KILL, &o, o.killed_in, text);
}

/* How many runs of so many points are worth their time. */
static uint64_t
checks_worth(uint64_t most, uint64_t points)
{
	uint64_t n = (known.check->light ? CHECKS_WORK / 16 : CHECKS_WORK) /
	    (points + 1);

	return n > most ? most : n < CHECKS_FEW ? CHECKS_FEW : n;
}

/* One death at each point of a run; at some of them, if there are many. */
static bool
checks_kill_all(struct scenario *s, uint64_t points, const char *how)
{
	uint64_t most = checks_worth(known.check->light ? 40 : CHECKS_DEATHS,
	    points);

	s->deaths.count = 1;
	for (uint64_t i = 0; i < points && i < most; i++) {
		s->deaths.at[0] = points <= most ? i
		    : i < most / 2		 ? i
				   : tester_random(&known.seed) % points;
		if (!checks_kill(s, how))
			return false;
	}
	return true;
}

static bool
checks_kill_pairs(struct scenario *s, uint64_t points, const char *how)
{
	uint64_t most = checks_worth(CHECKS_PAIRS, points);

	s->deaths.count = 2;
	for (uint64_t i = 0; i < most && !known.check->light; i++) {
		s->deaths.at[0] = tester_random(&known.seed) % (points + 1);
		s->deaths.at[1] = s->deaths.at[0] + 1 +
		    tester_random(&known.seed) % CHECKS_SOON;
		if (!checks_kill(s, how))
			return false;
	}
	return true;
}

static void
checks_kills(void)
{
	struct scenario s = checks_scenario();
	struct outcome o;

	s.renew = !tester_broken(PROMISE_MOVED);
	for (int way = 0; way < 4; way++) {
		static const char *const how[] = {
			"",
			", input and output one byte at a time",
			", output in pieces",
			", a late successor",
		};

		s.recv_max = s.send_max = way == 1 ? 1 : 0;
		s.room = way == 2 ? 1 + module->handler->out_max / 3 : 0;
		s.end_at_once = way == 2 && !known.timed &&
		    known.ending != RUN_ENDLESS;
		s.piece = way == 1 ? 1 : 0;
		s.cut = way == 1 ? 0 : way == 3 ? s.size / 2 : s.size;
		s.open_first = s.cut == 0;
		s.more = way == 3;
		s.later = way == 3 && !known.clocked;
		s.deaths.count = 0;
		run_scenario(&s, &o);
		if (!checks_same(PROMISE_CUT, &o, 0,
			"with output in small pieces"))
			return;
		if (!checks_kill_all(&s, o.points, how[way]) ||
		    !checks_kill_pairs(&s, o.points, how[way]))
			return;
	}
}

static void
checks_migrate(void)
{
	struct scenario s = checks_scenario();
	struct outcome o;

	if (module->handler->migrate == NULL)
		return;
	s.migrate = true;
	s.piece = 1;
	s.cut = 0;
	run_scenario(&s, &o);
}

void
checks_input(const struct check *c)
{
	known.check = c;
	known.seed = c->seed | 1;
	checks_learn();
	if (checks_wants(PROMISE_BOUNDS))
		checks_bounds();
	if (checks_wants(PROMISE_MOVED))
		checks_moved();
	module_renew();
	if (checks_wants(PROMISE_CUT) && !tester_broken(PROMISE_MOVED))
		checks_cut();
	if (checks_wants(PROMISE_REPEAT))
		checks_repeat();
	if (checks_wants(PROMISE_END))
		checks_end();
	if (checks_wants(PROMISE_TIMER))
		checks_timer();
	if (checks_wants(PROMISE_REDO) && checks_sound())
		checks_redo();
	if (checks_wants(PROMISE_KILL) && checks_sound() &&
	    !tester_broken(PROMISE_REDO))
		checks_kills();
	if (checks_wants(PROMISE_MIGRATE))
		checks_migrate();
}
