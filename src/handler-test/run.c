/* SPDX-License-Identifier: ISC */
/*
 * One conversation: a client, a clock, and workers that die.
 */
#include "handler-test/run.h"

#include <string.h>

#include "handler-test/tester.h"

#define RUN_WIRE 262144
#define RUN_TURNS 1000000
#define RUN_DELAY 7 /* ms that a death takes, with `later` */
#define RUN_CLOCK 86400000U
#define RUN_UNIX 1790000000000U /* September 2026 */

static struct engine engine;
static uint64_t seed;
static unsigned timers;

void
run_begin(const struct module *m)
{
	call_begin(m);
	engine_begin(&engine, m, RUN_WIRE);
}

void
run_limit(size_t bytes)
{
	engine.kernel.keep = bytes < RUN_WIRE ? bytes : RUN_WIRE;
}

static size_t
run_piece(const struct scenario *s)
{
	size_t left = s->size - engine.kernel.arrived, n = s->piece;

	if (engine.kernel.arrived < s->cut)
		n = s->cut - engine.kernel.arrived;
	else if (seed != 0)
		n = 1 + tester_random(&seed) % (2 + s->size / 4);
	else if (s->piece == 1)
		/* As kernel_limit(): a long input is not a day's work. */
		n = 1 + engine.kernel.arrived / 256 * 16;
	return n == 0 || n > left ? left : n;
}

static void
run_client_ends(const struct scenario *s)
{
	if (s->drain)
		engine.record.drain = true;
	else
		engine.kernel.fin = true;
}

static bool
run_client_has_ended(void)
{
	return engine.record.drain || engine.kernel.fin;
}

static void
run_client_sends(const struct scenario *s)
{
	struct kernel *k = &engine.kernel;

	if (engine.record.drain)
		return;
	if (k->arrived < s->size) {
		k->arrived += run_piece(s);
		tester->cuts++;
	}
	if (k->arrived == s->size && s->end_at_once)
		run_client_ends(s);
}

/* The client, or the time, moves.  Returns false if nothing is left to do. */
static bool
run_moves(const struct scenario *s, enum engine_result result)
{
	struct kernel *k = &engine.kernel;
	uint64_t wake = engine_wake(&engine);
	size_t room = s->room == 0 ? SIZE_MAX : s->room;
	bool moved = false;

	if (!s->reads_last || run_client_has_ended() || k->our_fin)
		moved = kernel_client_reads(k, room);
	if (k->arrived < s->size && !engine.record.drain) {
		run_client_sends(s);
		return true;
	}
	if (moved || result == ENGINE_BUSY)
		return true;
	if (timers > 0 && wake != 0 && !run_client_has_ended()) {
		uint64_t step = wake + s->late > engine.now_ms
		    ? wake + s->late - engine.now_ms
		    : 0;

		timers--;
		engine.now_ms += step;
		engine.unix_ms += step;
		return true;
	}
	if (!run_client_has_ended()) {
		run_client_ends(s);
		return true;
	}
	/* After our FIN comes the client's, or the socket stays. */
	moved = k->our_fin && !k->fin;
	k->fin = k->fin || moved;
	return moved;
}

/* A worker has died; what happens until its successor comes. */
static void
run_death(const struct scenario *s, struct outcome *o)
{
	uint64_t wake = engine_wake(&engine), delay = RUN_DELAY;

	tester->kills++;
	o->killed_in = tester->event;
	if (s->renew)
		module_renew();
	if (s->more && !engine.kernel.our_fin)
		run_client_sends(s);
	if (!s->later)
		return;
	/* A timer that comes now would change the order of events. */
	if (wake > engine.now_ms && wake - engine.now_ms <= delay)
		delay = wake - engine.now_ms - 1;
	if (wake != 0 && wake <= engine.now_ms)
		delay = 0;
	engine.now_ms += delay;
	engine.unix_ms += delay;
}

/* Give the state to migrate(), of versions that there never were. */
static void
run_migrate(void)
{
	static const uint32_t versions[] = { 0x7fffffff, 0xffffffff };
	const struct module *m = engine.module;
	char after[ECHOD_STATE_LIMIT];

	if (m->handler->migrate == NULL)
		return;
	for (int i = 0; i < 2; i++)
		(void)call_migrate(m, versions[i],
		    engine.record.state[engine.record.epoch & 1],
		    m->handler->state_size, after);
}

static enum ending
run_how(enum engine_result result)
{
	if (result == ENGINE_BROKE)
		return RUN_BROKE;
	if (engine.kernel.reset)
		return RUN_RESET;
	if (engine.kernel.our_fin && engine.record.ended)
		return RUN_ENDED;
	return result == ENGINE_ENDED ? RUN_ENDLESS : RUN_STUCK;
}

static enum ending
run_turns(const struct scenario *s, struct outcome *o)
{
	const struct kernel *k = &engine.kernel;
	enum engine_result result = ENGINE_IDLE;

	for (int turn = 0; turn < RUN_TURNS; turn++) {
		result = result == ENGINE_DIED ? engine_recover(&engine)
					       : engine_visit(&engine);
		if (k->sent >= k->keep && !s->to_the_end)
			return RUN_ENDLESS;
		if (result == ENGINE_DIED) {
			run_death(s, o);
			continue;
		}
		if (result == ENGINE_BROKE || result == ENGINE_ENDED)
			return run_how(result);
		if (s->migrate)
			run_migrate();
		if (!run_moves(s, result))
			return run_how(result);
	}
	return RUN_ENDLESS;
}

void
run_scenario(const struct scenario *s, struct outcome *o)
{
	struct kernel *k = &engine.kernel;

	tester->runs++;
	memset(o, 0, sizeof(*o));
	engine_open(&engine);
	engine.place = &s->place;
	engine.deaths = &s->deaths;
	engine.repeat = s->repeat;
	engine.now_ms = RUN_CLOCK + s->clock;
	engine.unix_ms = RUN_UNIX + s->clock;
	k->input = s->input;
	k->size = s->size;
	k->recv_max = s->recv_max;
	k->send_max = s->send_max;
	k->room = s->room == 0 ? SIZE_MAX : s->room;
	seed = s->seed;
	timers = s->timers;
	if (!s->open_first)
		run_client_sends(s);
	o->ending = run_turns(s, o);
	o->out = k->wire;
	o->out_size = k->sent < k->keep ? k->sent : k->keep;
	o->total = k->sent;
	o->points = engine.points;
	o->timed = engine.timed;
}

const char *
run_ending(enum ending ending)
{
	static const char *const words[] = {
		[RUN_ENDED] = "FIN",
		[RUN_RESET] = "a reset",
		[RUN_ENDLESS] = "no end",
		[RUN_STUCK] = "nothing more",
		[RUN_BROKE] = "a wrong answer",
	};

	return words[ending];
}
