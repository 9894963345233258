/* SPDX-License-Identifier: ISC */
/*
 * Runs: every sequence of choices about which worker goes on and which dies.
 *
 * A run is repeated from the beginning with one choice changed: the last one
 * that has an alternative left.  The search ends if there is none.
 */
#include "explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "handlers.h"
#include "scenes.h"
#include "../unit/tap.h"
#include "worker/loop.h"
#include "worker/worker.h"

#define CHOICES 4096
#define STACK (64 * 1024)
/* The most points of a run; one with more does not end. */
#define POINTS_MOST 20000
/* How long a worker stands still, ms: until the others have nothing to do;
 * until they have withdrawn their offers; until reservations are void. */
static const uint64_t stand_still[] = { 0, 30, 1500 };
#define STAND_STILL 3
/* After the script, all must be quiet within so many ms. */
#define AFTER 5000

enum life {
	GONE,
	GOES_ON,
	SLEEPS,
	STANDS
};

static struct actor {
	enum life life;
	uint64_t wake; /* SLEEPS: at the latest; STANDS: not before */
	ucontext_t at;
	bool killed, retiring;
	bool fresh; /* started after the reload */
} actor[SLOTS];

static char *stack[SLOTS];
static ucontext_t engine;
static jmp_buf end_of_run;
static unsigned current = NOBODY;

static struct {
	unsigned char taken[CHOICES], of[CHOICES];
	unsigned length, depth;
} path;

static struct limits left;
static bool armed, tracing;
static bool fine; /* workers stand still before loads, too */
static unsigned points;
static unsigned next_event;
static uint64_t passed; /* end of a PASSES event */
static uint64_t runs, kills;
/* The service is reloaded; no worker that began before it lives any more. */
static bool reloads, reloaded;
static bool bad;
static char action[256];

struct arena arena;
struct config config;
const struct scene *scene;

unsigned
running(void)
{
	return current;
}

bool
is_alive(unsigned k)
{
	return k < SLOTS && actor[k].life != GONE;
}

void
trace(const char *fmt, ...)
{
	va_list ap;

	if (!tracing)
		return;
	if (current != NOBODY)
		printf("#   %u: ", current);
	else
		printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
violated(const char *property, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(action, sizeof(action), "%s: %s", property, text);
	trace("VIOLATED %s", action);
	bad = true;
	if (current == NOBODY)
		longjmp(end_of_run, 1);
	current = NOBODY;
	setcontext(&engine);
	abort();
}

static unsigned
choose(unsigned n)
{
	unsigned c = 0;

	if (n <= 1)
		return 0;
	if (path.depth == CHOICES) {
		fprintf(stderr, "too many choices\n");
		exit(1);
	}
	if (path.depth < path.length) {
		c = path.taken[path.depth];
		if (path.of[path.depth] != n) {
			fprintf(stderr, "runs do not repeat\n");
			exit(1);
		}
	} else {
		path.taken[path.depth] = 0;
		path.of[path.depth] = (unsigned char)n;
		path.length++;
	}
	path.depth++;
	return c;
}

/* The choices of the next run; false if there is no other run. */
static bool
next_path(void)
{
	path.length = path.depth;
	while (path.length > 0) {
		unsigned last = path.length - 1;

		if (++path.taken[last] < path.of[last])
			return true;
		path.length--;
	}
	return false;
}

static bool
is_any_other(void)
{
	for (unsigned k = 0; k < SLOTS; k++)
		if (k != current && is_alive(k))
			return true;
	return false;
}

static void
to_engine(void)
{
	unsigned k = current;

	current = NOBODY;
	swapcontext(&actor[k].at, &engine);
}

static void
begin(void)
{
	unsigned k = current;

	const struct worker_place place = { .slot = k,
		.master = 1,
		.seat = { PIDFD, PIDFD },
		.watch_fd = arena.slot[k].watch_fd };

	(void)worker_main(&config, &arena, &place);
	actor[k].life = GONE;
	current = NOBODY;
	setcontext(&engine);
}

static void
hire(struct worker *w, unsigned entry, const struct echod_handler *h)
{
	w->handler[entry] = (struct worker_handler){ .h = h,
		.service = &config.service[0],
		.state_version = h->state_version,
		.state_size = h->state_size };
}

/* What worker_init() does; then the handler of the scene is that of entry 0.
 * After a reload into another version it is that of entry 1, which replaces
 * entry 0. */
void __real_worker_init(struct worker *w, const struct config *config,
    const struct arena *arena, const struct worker_place *place);
void __wrap_worker_init(struct worker *w, const struct config *config,
    const struct arena *arena, const struct worker_place *place);

void
__wrap_worker_init(struct worker *w, const struct config *c,
    const struct arena *a, const struct worker_place *place)
{
	__real_worker_init(w, c, a, place);
	memset(w->handler, 0, sizeof(w->handler));
	hire(w, 0, scene->handler);
	if (!actor[place->slot].fresh || scene->next == NULL)
		return;
	w->handler[0].h = NULL;
	w->handler[0].successor = 1;
	hire(w, 1, scene->next);
	w->service_entry[0] = 1;
}

static void
spawn(unsigned k)
{
	struct actor *a = &actor[k];

	a->fresh = reloaded;
	trace("worker %u starts", k);
	atomic_store(&arena.slot[k].state, SLOT_EMPTY);
	atomic_store(&arena.slot[k].leave, 0);
	getcontext(&a->at);
	a->at.uc_stack.ss_sp = stack[k];
	a->at.uc_stack.ss_size = STACK;
	a->at.uc_link = NULL;
	makecontext(&a->at, begin, 0);
	a->life = GOES_ON;
	a->killed = false;
	kernel_signal(k, false);
	atomic_store(&arena.slot[k].pid, 100 + (int)k);
}

/* A sibling adopts a slot without a worker, as in master/scaling.c. */
static bool
ask_sibling(unsigned k)
{
	for (unsigned i = 0; i < scene->workers; i++) {
		struct slot *s = &arena.slot[i];

		if (i == k || !is_alive(i) || actor[i].life == STANDS ||
		    atomic_load(&s->state) != SLOT_READY ||
		    atomic_load(&s->adopt) != 0)
			continue;
		trace("worker %u is to take over slot %u", i, k);
		atomic_store(&s->adopt, k + 1);
		kernel_wake(i);
		return true;
	}
	return false;
}

/* The master: a short form of master/reap.c and spawn.c. */
static void
reap(unsigned k)
{
	struct slot *s = &arena.slot[k];
	struct actor *a = &actor[k];

	if (atomic_load(&s->died) == 0)
		atomic_store(&s->died, model_now);
	atomic_store(&s->pid, 0);
	atomic_store(&s->adopt, 0);
	for (unsigned i = 0; i < SLOTS; i++) {
		uint32_t adopted = slot_adopted_by(k);

		atomic_compare_exchange_strong(&arena.slot[i].state, &adopted,
		    SLOT_UNATTENDED);
	}
	if (atomic_load(&s->state) == SLOT_DRAINED)
		return;
	atomic_store(&s->state, SLOT_EMPTY);
	if (reloads)
		return;
	if (arena_stop_deadline(&arena) == 0 && is_any_other() &&
	    (a->retiring || (a->killed && choose(2) == 1))) {
		atomic_store(&s->state, SLOT_UNATTENDED);
		(void)ask_sibling(k);
	} else
		spawn(k);
}

/* All else is quiet: a slot that still has no worker gets one, or a sibling
 * adopts it. */
static bool
respawn(void)
{
	if (reloads && is_any_other())
		return false;
	if (reloads) {
		trace("the program is executed");
		reloads = false;
		reloaded = true;
	}
	for (unsigned k = 0; k < atomic_load(&arena.header->workers); k++) {
		uint32_t s = atomic_load(&arena.slot[k].state);

		if (is_alive(k) || s == SLOT_DRAINED)
			continue;
		if ((s & 0xff) == SLOT_ADOPTED) {
			if (is_alive((s >> 8) - 1) &&
			    actor[(s >> 8) - 1].life == STANDS)
				continue; /* in the middle of it */
			violated("P5", "slot %u is being taken over for ever",
			    k);
		}
		if (actor[k].retiring && arena_stop_deadline(&arena) == 0) {
			if (s == SLOT_UNATTENDED) {
				if (ask_sibling(k))
					return true;
				continue;
			}
			/* The slot is not used any more. */
			atomic_store(&arena.header->workers, k);
			return true;
		}
		spawn(k);
		return true;
	}
	return false;
}

static void
kill_it(void)
{
	trace("dies");
	left.deaths--;
	kills++;
	actor[current].life = GONE;
	actor[current].killed = true;
	current = NOBODY;
	setcontext(&engine);
}

void
point(const char *what, uintptr_t where, bool deadly)
{
	extern char __executable_start;

	if (!armed || current == NOBODY)
		return;
	if (where != 0)
		trace("%s %#lx", what,
		    (unsigned long)(where - (uintptr_t)&__executable_start));
	else
		trace("%s", what);
	if (++points > POINTS_MOST)
		violated("P5", "things do not become quiet");
	for (;;) {
		unsigned dying = deadly && left.deaths > 0;
		unsigned standing = left.stops > 0 && (deadly || fine) &&
			is_any_other()
		    ? STAND_STILL
		    : 0;
		unsigned c = choose(1 + dying + standing);

		if (c == 0)
			return;
		if (c <= dying)
			kill_it();
		left.stops--;
		actor[current].life = STANDS;
		actor[current].wake = model_now + stand_still[c - dying - 1];
		trace("stands still for %u ms",
		    (unsigned)stand_still[c - dying - 1]);
		to_engine();
		trace("goes on");
	}
}

unsigned
outcome(unsigned n)
{
	unsigned c;

	if (!armed || current == NOBODY || left.faults == 0 ||
	    (c = choose(n)) == 0)
		return 0;
	left.faults--;
	return c;
}

static void
happen(const struct event *e)
{
	struct slot *s = &arena.slot[e->who < SLOTS ? e->who : 0];

	if (e->what == STOPS) {
		trace("the service is to stop");
		arena_stop(&arena, model_now + 10000);
	} else if (e->what == RELOADS) {
		trace("the service is reloaded");
		reloads = true;
		for (unsigned k = 0; k < SLOTS; k++)
			if (is_alive(k))
				atomic_store(&arena.slot[k].leave, 1);
	} else if (e->what == RETIRES || e->what == LEAVES) {
		trace("worker %u is to leave", e->who);
		if (e->what == RETIRES) {
			actor[e->who].retiring = true;
			if (atomic_load(&s->pid) != 0)
				atomic_store(&s->state, SLOT_LEAVING);
			else {
				uint32_t empty = SLOT_EMPTY;

				atomic_compare_exchange_strong(&s->state,
				    &empty, SLOT_UNATTENDED);
			}
		}
		if (atomic_load(&s->pid) != 0)
			atomic_store(&s->leave, 1);
	} else {
		kernel_event(e);
		return;
	}
	for (unsigned k = 0; k < SLOTS; k++)
		if (is_alive(k) &&
		    (e->what == STOPS || e->what == RELOADS || e->who == k))
			kernel_signal(k, true);
}

static const struct event *
event(void)
{
	return &scene->script[next_event];
}

void
perhaps_event(void)
{
	const struct event *e = event();
	unsigned k = current;

	if (!armed || current == NOBODY || left.early == 0 || e->what == END ||
	    e->what == PASSES || choose(2) == 0)
		return;
	left.early--;
	next_event++;
	current = NOBODY;
	happen(e);
	current = k;
}

void
sleep_until(uint64_t wake)
{
	actor[current].life = SLEEPS;
	actor[current].wake = wake;
	to_engine();
}

/* Let one worker run that can; false if none can. */
static bool
run_one(unsigned *turn)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		unsigned k = (*turn + i) % SLOTS;
		struct actor *a = &actor[k];

		if (a->life != GOES_ON &&
		    (a->life != SLEEPS ||
			(a->wake > model_now && !kernel_ready(k))))
			continue;
		*turn = k + 1;
		current = k;
		a->life = GOES_ON;
		swapcontext(&engine, &a->at);
		current = NOBODY;
		if (bad)
			longjmp(end_of_run, 1);
		if (a->life == GONE && atomic_load(&arena.slot[k].pid) != 0)
			reap(k);
		return true;
	}
	return false;
}

static bool
let_stand_go_on(uint64_t until)
{
	for (unsigned k = 0; k < SLOTS; k++)
		if (actor[k].life == STANDS && actor[k].wake <= until) {
			actor[k].life = GOES_ON;
			return true;
		}
	return false;
}

/* The next time at which a worker wakes by itself. */
static uint64_t
next_timer(void)
{
	uint64_t t = UINT64_MAX;

	for (unsigned k = 0; k < SLOTS; k++)
		if ((actor[k].life == SLEEPS || actor[k].life == STANDS) &&
		    actor[k].wake < t)
			t = actor[k].wake;
	return t;
}

/* Let time pass until `until` at the latest; false if nothing happens until
 * then. */
static bool
pass(uint64_t until)
{
	uint64_t t = next_timer();

	if (t > until) {
		model_now = until > model_now ? until : model_now;
		return false;
	}
	if (t > model_now)
		model_now = t;
	return true;
}

/* Play all events of the script, and go on until all is quiet. */
static void
play(void)
{
	unsigned turn = 0;

	passed = 0;
	for (;;) {
		if (run_one(&turn) || let_stand_go_on(model_now) ||
		    kernel_answers() || respawn())
			continue;
		if (passed == 0 && event()->what != END &&
		    event()->what != PASSES) {
			happen(&scene->script[next_event++]);
			continue;
		}
		if (passed == 0)
			passed = model_now +
			    (event()->what == PASSES ? event()->who : AFTER);
		if (pass(passed))
			continue;
		passed = 0;
		if (event()->what == END)
			return;
		next_event++;
	}
}

static void
up(void)
{
	struct arena_header *h = arena.header;

	/* All but the rates of addresses, which no scene has, and the middle
	 * of the scratch buffers. */
	memset(h, 0, (size_t)(arena.scratch - (char *)h));
	for (unsigned k = 0; k < SLOTS; k++) {
		memset(arena_scratch(&arena, k), 0, SCRATCH_BYTES);
		memset(arena_scratch_output(&arena, k), 0, OUTPUT_WINDOW);
		memset(arena_scratch_state(&arena, k, STATE_LIMIT), 0,
		    STATE_LIMIT);
	}
	memset(arena.handoff, 0,
	    (size_t)((char *)arena.rate - (char *)arena.handoff));
	memset((void *)arena.connection, 0,
	    (size_t)(arena.window - (char *)arena.connection) +
		(size_t)DESCRIPTORS * SPILL_WINDOW);
	h->slots = SLOTS;
	h->capacity = h->descriptors = DESCRIPTORS;
	h->workers = scene->workers;
	h->watching = 1;
	h->listeners = 1;
	h->listener[0].fd = 3;
	config.services = 1;
	config.service[0].proxy_protocol = scene->header[0] != '\0'
	    ? PROXY_PROTOCOL_ON
	    : PROXY_PROTOCOL_OFF;
	config.service[0].proxy_protocol_timeout = 60;
	config.defaults.maxclients = scene->maxclients == 0 ? 100
							    : scene->maxclients;
	config.shutdown_timeout = 10;
	memset(actor, 0, sizeof(actor));
	kernel_reset();
	bad = false;
	reloads = reloaded = false;
	points = 0;
	path.depth = 0;
	next_event = 0;
}

static void
run_through(const struct limits *limits)
{
	static struct scene part;
	const struct scene *whole = scene;

	up();
	armed = false;
	for (unsigned k = 0; k < scene->workers; k++)
		spawn(k);
	if (setjmp(end_of_run) == 0) {
		part = *whole;
		memcpy(part.script, whole->before, sizeof(part.script));
		scene = &part;
		play();
		scene = whole;
		trace("--- from here on");
		armed = true;
		left = *limits;
		next_event = 0;
		play();
		kernel_at_rest();
	}
	scene = whole;
	armed = false;
	runs++;
}

static void
check(const struct scene *s, const struct limits *limits, uint64_t most)
{
	uint64_t before = runs, dead = kills;

	scene = s;
	path.length = 0;
	tracing = false;
	do
		run_through(limits);
	while (!bad && runs - before < most && next_path());
	ok(!bad,
	    "%s: %llu runs, %llu deaths; up to %u deaths, %u stops, %u "
	    "faults, %u events early",
	    s->name, (unsigned long long)(runs - before),
	    (unsigned long long)(kills - dead), limits->deaths, limits->stops,
	    limits->faults, limits->early);
	if (!bad) {
		if (path.length > 0)
			printf("# not all: there are more than these\n");
		return;
	}
	printf("# %s\n", action);
	path.length = path.depth;
	tracing = true;
	run_through(limits);
	tracing = false;
}

/* explore [-fx] [-m RUNS] [-t] [SCENE...]: run the scenes.  -f: with the limits
 * of make model; -x: stop at the first scene that fails; -m: at most RUNS runs
 * of a scene; -t: show the first run of each scene. */
int
main(int argc, char **argv)
{
	bool full = false, show = false, enough = false;
	uint64_t most = UINT64_MAX;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++)
		if (strcmp(argv[i], "-f") == 0)
			full = fine = true;
		else if (strcmp(argv[i], "-x") == 0)
			enough = true;
		else if (strcmp(argv[i], "-t") == 0)
			show = true;
		else if (strcmp(argv[i], "-m") == 0 && i + 1 < argc)
			most = strtoull(argv[++i], NULL, 10);
	if (arena_create(&arena, SLOTS, DESCRIPTORS, DESCRIPTORS) == -1) {
		perror("arena_create");
		return 1;
	}
	handlers_begin();
	for (unsigned k = 0; k < SLOTS; k++)
		stack[k] = malloc(STACK);
	for (const struct scene *s = scenes;
	     s->name != NULL && !(enough && tap_failed > 0); s++) {
		bool wanted = i == argc;

		for (int j = i; j < argc; j++)
			if (strstr(s->name, argv[j]) != NULL)
				wanted = true;
		if (wanted && show) {
			scene = s;
			path.length = 0;
			tracing = true;
			run_through(&(struct limits){ 0, 0, 0, 0 });
			tracing = false;
		} else if (wanted)
			check(s, full ? &s->full : &s->quick, most);
	}
	return tap_done();
}
