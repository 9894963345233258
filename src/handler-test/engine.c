/* SPDX-License-Identifier: ISC */
/*
 * A model of a worker's part of one connection.
 *
 * A step fills the half of the record that does not count, and one store of
 * `epoch` commits it.  Nothing is sent before, and nothing is received or
 * stepped while output is unsent.  After a death the positions come from the
 * kernel.
 */
#include "handler-test/engine.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "handler-test/tester.h"

#define ENGINE_STEPS 16 /* a visit */
#define ENGINE_WINDOW 4 /* times in_max */
/* As many TIMER steps at one time are a storm; as many steps after the end of
 * the input are too many. */
#define ENGINE_STORM 256
#define ENGINE_LAST_STEPS 4096

/* A kill may come here, before the next store or call. */
#define POINT(e) \
	do { \
		if (engine_dies(e)) \
			return ENGINE_DIED; \
	} while (0)

#ifdef ENGINE_MUTANTS
unsigned engine_mutant;
#endif

static void *
engine_memory(size_t size)
{
	void *p = calloc(1, size == 0 ? 1 : size);

	if (p == NULL)
		err(2, "memory for a connection");
	return p;
}

void
engine_begin(struct engine *e, const struct module *m, size_t wire)
{
	const struct echod_handler *h = m->handler;

	memset(e, 0, sizeof(*e));
	e->module = m;
	for (int i = 0; i < 2; i++)
		e->record.state[i] = engine_memory(h->state_size);
	e->record.out = engine_memory(h->out_max);
	e->record.window = engine_memory(ENGINE_WINDOW * (size_t)h->in_max);
	/* The half in front is for mutants that read there. */
	e->record.window += ENGINE_WINDOW / 2 * (size_t)h->in_max;
	e->state = engine_memory(h->state_size);
	e->out = engine_memory(h->out_max);
	e->kernel.wire = engine_memory(wire);
	e->kernel.keep = wire;
}

void
engine_open(struct engine *e)
{
	struct record *r = &e->record;
	struct kernel *k = &e->kernel;
	const struct record clean = {
		.state = { r->state[0], r->state[1] },
		.out = r->out,
		.window = r->window,
	};

	*r = clean;
	for (int i = 0; i < 2; i++)
		memset(r->state[i], 0, e->module->handler->state_size);
	*k = (struct kernel){ .wire = k->wire, .keep = k->keep };
	e->rx = e->tx = e->hint = e->points = 0;
	e->died = e->same_time = e->last_steps = 0;
	e->cut_short = e->timed = false;
}

static bool
engine_dies(struct engine *e)
{
	const struct deaths *d = e->deaths;
	uint64_t n = e->points++;

	if (d == NULL || e->died >= d->count || n < d->at[e->died])
		return false;
	e->died++;
	return true;
}

static struct half *
engine_half(struct engine *e)
{
	return &e->record.half[e->record.epoch & 1];
}

static unsigned
engine_other(const struct engine *e)
{
	return (unsigned)(e->record.epoch + 1) & 1;
}

uint64_t
engine_wake(const struct engine *e)
{
	return MUTANT(MUTANT_WAKE_APART)
	    ? e->record.wake
	    : e->record.half[e->record.epoch & 1].wake;
}

/* Output that is nowhere any more: there is an end to it. */
static enum engine_result
engine_lose(struct engine *e, const struct half *h)
{
	e->tx = h->produced;
	return ENGINE_IDLE;
}

/* Output is the bytes of `out`, and then the last bytes of consumed input. */
static enum engine_result
engine_flush(struct engine *e, const struct half *h)
{
	struct record *r = &e->record;

	while (e->tx < h->produced) {
		uint64_t left = h->produced - e->tx;
		const char *from;
		ssize_t n;

		if (left > h->written + h->passed)
			return engine_lose(e, h); /* only a mutant's */
		if (left > h->passed) {
			from = r->out + (h->written - (left - h->passed));
			left -= h->passed;
		} else {
			from = r->window + (h->consumed - left - r->base);
		}
		POINT(e);
		n = kernel_send(&e->kernel, from, left);
		if (n == -1)
			return ENGINE_BLOCKED;
		POINT(e);
		e->tx += (uint64_t)n;
		r->sent = e->tx;
	}
	return ENGINE_IDLE;
}

static enum engine_result
engine_make_room(struct engine *e)
{
	struct record *r = &e->record;
	uint64_t keep = engine_half(e)->consumed, used = e->rx - keep;
	size_t max = e->module->handler->in_max;

	/* in_max - used bytes are to fit behind those that are there. */
	if (keep - r->base <= max)
		return ENGINE_IDLE;
	POINT(e);
	/* No overlap: the used bytes are max at most. */
	memcpy(r->window, r->window + (keep - r->base), used);
	POINT(e);
	r->base = keep;
	return ENGINE_IDLE;
}

static enum engine_result
engine_receive(struct engine *e)
{
	struct record *r = &e->record;
	const struct half *h = engine_half(e);
	size_t room;
	ssize_t n;

	if (r->eof || r->drain ||
	    (e->tx != h->produced && !MUTANT(MUTANT_RECV_UNSENT)))
		return ENGINE_IDLE;
	if (engine_make_room(e) == ENGINE_DIED)
		return ENGINE_DIED;
	room = e->module->handler->in_max - (e->rx - h->consumed);
	if (room == 0)
		return ENGINE_IDLE;
	POINT(e);
	n = kernel_recv(&e->kernel, r->window + (e->rx - r->base), room);
	POINT(e);
	if (n > 0)
		e->rx += (uint64_t)n;
	if (n == 0)
		r->eof = true;
	return ENGINE_IDLE;
}

/* The event that is due, 0 if none is. */
static uint32_t
engine_due(struct engine *e)
{
	const struct record *r = &e->record;
	const struct half *h = engine_half(e);
	uint64_t wake = engine_wake(e);

	if (!(MUTANT(MUTANT_OPEN_APART) ? r->opened : h->opened))
		return ECHOD_OPEN;
	if (wake != 0 && wake <= e->now_ms)
		return ECHOD_TIMER;
	if (h->next == ECHOD_AGAIN)
		return ECHOD_MORE;
	if (h->ended)
		return 0;
	if (e->rx > h->consumed && (e->rx > r->seen || r->seen < h->consumed))
		return ECHOD_DATA;
	return r->eof || r->drain ? ECHOD_EOF : 0;
}

static void
engine_tell(struct engine *e, struct echod_step *s, uint32_t event)
{
	const struct record *r = &e->record;
	const struct half *h = engine_half(e);

	memset(s, 0, sizeof(*s));
	s->event = event;
	s->now_ms = e->now_ms;
	s->unix_ms = e->unix_ms;
	s->in = r->window + (h->consumed - r->base);
	s->in_len = e->rx - h->consumed;
	s->in_seen = e->hint > h->consumed ? e->hint - h->consumed : 0;
	if (s->in_len > e->module->handler->in_max)
		s->in_len = e->module->handler->in_max; /* a mutant's */
	if (s->in_seen > s->in_len)
		s->in_seen = s->in_len;
	s->wake_ms = event == ECHOD_TIMER ? 0 : engine_wake(e);
	if (r->eof || r->drain)
		s->flags |= ECHOD_LAST;
	if (r->drain)
		s->flags |= ECHOD_DRAIN;
	if (s->in_len == e->module->handler->in_max)
		s->flags |= ECHOD_FULL;
}

/* A DATA that waits comes again, if a death loses `seen`. */
static enum engine_result
engine_repeat(struct engine *e, const struct echod_step *first,
    const char *state)
{
	size_t size = e->module->handler->state_size;
	struct echod_step s = *first;
	char *again = malloc(size + 1);
	char *out = malloc(e->module->handler->out_max);
	enum engine_result result = ENGINE_IDLE;
	int next;

	if (again == NULL || out == NULL)
		err(2, "malloc");
	s.in_seen = s.in_len;
	next = call_step(e->module, e->place, &s, state, again, out);
	if (next == -1)
		result = ENGINE_BROKE;
	else if (next != ECHOD_WAIT || s.consume != 0 || s.write != 0)
		tester_found(PROMISE_REPEAT, s.event,
		    "with the same input it waited, and then returned %d, "
		    "consume %zu, write %zu",
		    next, s.consume, s.write);
	else if (memcmp(again, state, size) != 0)
		tester_found(PROMISE_REPEAT, s.event,
		    "with the same input it changed its state again");
	else if (s.wake_ms != first->wake_ms)
		tester_found(PROMISE_REPEAT, s.event,
		    "with the same input at the same time it changed its "
		    "timer");
	free(again);
	free(out);
	return result;
}

static enum engine_result
engine_fill(struct engine *e, struct half *x, const struct echod_step *s,
    int next)
{
	const struct half h = *engine_half(e);
	bool ended = h.ended || s->event == ECHOD_EOF;

	POINT(e);
	x->consumed = h.consumed + s->consume;
	POINT(e);
	x->produced = h.produced + s->write + s->pass;
	POINT(e);
	x->written = s->write;
	POINT(e);
	x->passed = s->pass;
	POINT(e);
	x->wake = s->wake_ms;
	POINT(e);
	x->opened = true;
	x->ended = ended;
	POINT(e);
	/* After the end nothing comes that could be waited for. */
	x->next = (uint8_t)(ended && next == ECHOD_WAIT ? ECHOD_FINISH : next);
	return ENGINE_IDLE;
}

/* The step has returned: make it count. */
static enum engine_result
engine_commit(struct engine *e, const struct echod_step *s, int next)
{
	struct record *r = &e->record;
	unsigned other = engine_other(e);
	unsigned state = MUTANT(MUTANT_ONE_STATE) ? other ^ 1 : other;
	unsigned half = MUTANT(MUTANT_CURRENT) ? other ^ 1 : other;
	bool holds = s->event == ECHOD_DATA && s->consume == 0;

	POINT(e);
	if (MUTANT(MUTANT_OPEN_APART) && s->event == ECHOD_OPEN) {
		r->opened = true;
		POINT(e);
	}
	if (MUTANT(MUTANT_SEEN_EARLY) && holds) {
		r->seen = e->rx;
		POINT(e);
	}
	if (MUTANT(MUTANT_WAKE_APART)) {
		r->wake = s->wake_ms;
		POINT(e);
	}
	if (MUTANT(MUTANT_EPOCH_FIRST)) {
		r->epoch++;
		POINT(e);
	}
	memcpy(r->out, e->out, s->write);
	POINT(e);
	memcpy(r->state[state], e->state, e->module->handler->state_size);
	if (MUTANT(MUTANT_ONE_STATE) || MUTANT(MUTANT_CURRENT))
		memcpy(r->state[state ^ 1], r->state[state],
		    e->module->handler->state_size);
	if (MUTANT(MUTANT_TWO_STORES) && s->event == ECHOD_DATA &&
	    s->write == 0 && s->pass > 0 &&
	    memcmp(r->state[0], r->state[1], e->module->handler->state_size) ==
		0) {
		POINT(e);
		engine_half(e)->consumed += s->consume;
		POINT(e);
		engine_half(e)->produced += s->pass;
		engine_half(e)->written = 0;
		engine_half(e)->passed = s->pass;
		engine_half(e)->next = (uint8_t)next;
		return ENGINE_IDLE;
	}
	if (MUTANT(MUTANT_EPOCH_FIRST)) {
		/* engine_fill() reads the half before. */
		struct half x = r->half[half];
		enum engine_result result;

		r->epoch--;
		result = engine_fill(e, &x, s, next);
		r->epoch++;
		r->half[half] = x;
		return result;
	}
	if (engine_fill(e, &r->half[half], s, next) == ENGINE_DIED)
		return ENGINE_DIED;
	POINT(e);
	if (MUTANT(MUTANT_CURRENT))
		r->half[other] = r->half[half];
	if (MUTANT(MUTANT_SEND_FIRST) &&
	    engine_flush(e, &r->half[other]) == ENGINE_DIED)
		return ENGINE_DIED;
	r->epoch++;
	POINT(e);
	if (holds || (MUTANT(MUTANT_OPEN_SEEN) && s->event == ECHOD_OPEN))
		r->seen = e->rx;
	if (holds)
		e->hint = e->rx;
	return ENGINE_IDLE;
}

/* Too many steps of a kind. */
static bool
engine_is_endless(struct engine *e, const struct echod_step *s)
{
	e->same_time = s->event == ECHOD_TIMER ? e->same_time + 1 : 0;
	if (e->same_time > ENGINE_STORM) {
		tester_found(PROMISE_TIMER, s->event,
		    "after %d TIMER steps at the same time the next one is due "
		    "at once",
		    ENGINE_STORM);
		return true;
	}
	if ((s->flags & ECHOD_LAST) != 0 && ++e->last_steps > ENGINE_LAST_STEPS)
		return true;
	return false;
}

static enum engine_result
engine_step(struct engine *e, uint32_t event)
{
	struct echod_step s, told;
	bool cut = e->deaths != NULL && e->deaths->each_step && !e->cut_short;
	const char *before = e->record.state[e->record.epoch & 1];
	int next;

	engine_tell(e, &s, event);
	if (engine_is_endless(e, &s))
		return ENGINE_ENDED;
	told = s;
	next = call_step(e->module, e->place, &s, before, e->state, e->out);
	if (next == -1)
		return ENGINE_BROKE;
	e->cut_short = cut;
	if (cut)
		return ENGINE_DIED;
	if (s.wake_ms != 0)
		e->timed = true;
	if (next == ECHOD_ABORT) {
		POINT(e);
		e->kernel.reset = true;
		POINT(e);
		e->record.ended = true;
		return ENGINE_ENDED;
	}
	if (event == ECHOD_DATA && next == ECHOD_WAIT && s.consume == 0 &&
	    e->repeat) {
		told.wake_ms = s.wake_ms;
		if (engine_repeat(e, &told, e->state) == ENGINE_BROKE)
			return ENGINE_BROKE;
	}
	return engine_commit(e, &s, next);
}

static enum engine_result
engine_finish(struct engine *e)
{
	struct record *r = &e->record;

	if (r->eof) {
		POINT(e);
		e->kernel.closed = e->kernel.our_fin = true;
		r->ended = true;
		return ENGINE_ENDED;
	}
	POINT(e);
	e->kernel.our_fin = true;
	POINT(e);
	r->lingering = true;
	return ENGINE_IDLE;
}

/* Our FIN is sent: what the client sends is read and forgotten. */
static enum engine_result
engine_linger(struct engine *e)
{
	char forgotten[256];
	ssize_t n;

	do {
		POINT(e);
		n = kernel_recv(&e->kernel, forgotten, sizeof(forgotten));
	} while (n > 0);
	if (n == -1)
		return ENGINE_IDLE;
	POINT(e);
	e->kernel.closed = true;
	e->record.ended = true;
	return ENGINE_ENDED;
}

enum engine_result
engine_visit(struct engine *e)
{
	struct record *r = &e->record;
	enum engine_result result;
	uint32_t event = 0;
	int steps = 0;

	POINT(e);
	if (r->lingering)
		return engine_linger(e);
	result = engine_flush(e, engine_half(e));
	if (result != ENGINE_IDLE && !MUTANT(MUTANT_STEP_UNSENT) &&
	    !MUTANT(MUTANT_RECV_UNSENT))
		return result;
	if (engine_receive(e) == ENGINE_DIED)
		return ENGINE_DIED;
	while (
	    (e->tx == engine_half(e)->produced || MUTANT(MUTANT_STEP_UNSENT)) &&
	    engine_half(e)->next != ECHOD_FINISH &&
	    (event = engine_due(e)) != 0 && steps++ < ENGINE_STEPS) {
		result = engine_step(e, event);
		if (result != ENGINE_IDLE)
			return result;
		result = engine_flush(e, engine_half(e));
		if (result == ENGINE_DIED)
			return result;
	}
	if (e->tx != engine_half(e)->produced)
		return ENGINE_BLOCKED;
	if (engine_half(e)->next == ECHOD_FINISH) {
		result = engine_finish(e);
		return result == ENGINE_IDLE ? engine_linger(e) : result;
	}
	/* What a receive has left in the socket wakes the worker again. */
	if (event != 0 || (kernel_inq(&e->kernel) > 0 && !r->drain) ||
	    (e->kernel.fin && !r->eof))
		return ENGINE_BUSY;
	return ENGINE_IDLE;
}

enum engine_result
engine_recover(struct engine *e)
{
	struct record *r = &e->record;
	const struct kernel *k = &e->kernel;

	/* The hint is another promise than the step that is made again. */
	if (!e->cut_short)
		e->hint = 0;
	if (r->ended)
		return ENGINE_ENDED;
	POINT(e);
	e->rx = kernel_received(k) - kernel_inq(k) -
	    (k->fin && !MUTANT(MUTANT_CLIENT_FIN) ? 1 : 0);
	e->tx = kernel_acked(k) + kernel_outq(k) -
	    (k->our_fin && !MUTANT(MUTANT_OWN_FIN) ? 1 : 0);
	if (MUTANT(MUTANT_TX_NOTED))
		e->tx = r->sent;
	POINT(e);
	if (k->our_fin && !MUTANT(MUTANT_OWN_FIN))
		r->lingering = true;
	return engine_visit(e);
}
