/* SPDX-License-Identifier: ISC */
/*
 * A step of a handler.
 */
#include "worker/connection/step.h"

#include <string.h>

#include "handler/contract.h"
#include "worker/connection/close.h"

/* The latest time that fits in a half: in 8,900 years. */
#define WAKE_MAX ((UINT64_C(1) << 48) - 1)

const char *
step_handler_name(const struct worker *w, const struct connection *c)
{
	const struct echod_handler *h = worker_handler(w, c)->h;

	return h != NULL ? h->name : "unknown";
}

/* The position up to which the handler is shown the input. */
static uint64_t
step_shown(const struct connection *c, const struct half *half, size_t in_max)
{
	return c->rx - half->consumed < in_max ? c->rx
					       : half->consumed + in_max;
}

size_t
step_room(const struct worker *w, const struct connection *c)
{
	const struct echod_handler *h = worker_handler(w, c)->h;
	size_t most = SPILL_LINE, held = connection_unconsumed(c);

	if (!connection_awaits_header(c))
		most = h != NULL ? h->in_max : 0; /* it is replaced first */
	return held < most ? most - held : 0;
}

/* The event that is due; 0 if none is. */
static uint32_t
step_event(struct worker *w, const struct connection *c,
    const struct half *half, size_t in_max)
{
	uint64_t shown = step_shown(c, half, in_max);

	if (half->next == ECHOD_FINISH)
		return 0;
	if ((half->delivered & DELIVERED_OPEN) == 0)
		return ECHOD_OPEN;
	/* Before the others: a client that floods must not stop a timer. */
	if (half->wake != 0 && half->wake <= worker_now(w))
		return ECHOD_TIMER;
	if (half->next == ECHOD_AGAIN)
		return ECHOD_MORE;
	if (shown > half->consumed &&
	    (shown > c->seen || c->seen < half->consumed))
		return ECHOD_DATA;
	if (connection_at_end(c) && shown == c->rx &&
	    (half->delivered & DELIVERED_EOF) == 0)
		return ECHOD_EOF;
	return 0;
}

bool
step_is_due(struct worker *w, const struct connection *c)
{
	const struct worker_handler *wh = worker_handler(w, c);

	return c->phase != PHASE_LINGERING && connection_unsent(c) == 0 &&
	    !connection_awaits_header(c) &&
	    (wh->h == NULL ||
		step_event(w, c, connection_half(c), wh->h->in_max) != 0);
}

static uint32_t
step_flags(const struct connection *c, const struct half *half, size_t in_len,
    size_t in_max)
{
	uint32_t flags = in_len == in_max ? ECHOD_FULL : 0;

	if (connection_at_end(c) && half->consumed + in_len == c->rx)
		flags |= (c->flags & CONN_EOF) != 0 ? ECHOD_LAST
						    : ECHOD_LAST | ECHOD_DRAIN;
	return flags;
}

static enum step_result
step_fault(struct worker *w, int fd, const char *what)
{
	const struct connection *c = worker_connection(w, fd);
	unsigned missed;

	if (log_rate_limit(&w->faults, &missed))
		log_warnx("%s closed: handler %s: %s; %llu bytes in, %llu "
			  "out; %u more unlogged",
		    worker_client_name(w, c), step_handler_name(w, c), what,
		    (unsigned long long)c->rx, (unsigned long long)c->tx,
		    missed);
	close_reset(w, fd, CLOSE_FAULT);
	return STEP_CLOSED;
}

/* The other half and the other state are complete. */
static void
step_commit(struct connection *c)
{
	store_barrier();
	atomic_store_explicit(&c->epoch,
	    atomic_load_explicit(&c->epoch, memory_order_relaxed) + 1,
	    memory_order_release);
	store_barrier();
}

static unsigned
step_half_number(const struct connection *c)
{
	return atomic_load_explicit(&c->epoch, memory_order_relaxed) % 2;
}

void
step_skip(struct connection *c, size_t bytes)
{
	struct half *next = connection_other_half(c);

	*next = *connection_half(c);
	next->consumed += bytes;
	step_commit(c);
}

/* Convert a state of `old`; returns false if that is impossible. */
static bool
step_convert(const struct worker_handler *old, const struct echod_handler *h,
    const char *from, char *to)
{
	if (old->state_version != h->state_version ||
	    old->state_size != h->state_size)
		return h->migrate != NULL &&
		    h->migrate(old->state_version, from, old->state_size, to) ==
		    0;
	memcpy(to, from, h->state_size);
	return true;
}

/*
 * The connection's handler was replaced by another version: convert the state.
 * A commit as any other, so that a death in it leaves the old state, which is
 * converted again.
 */
static enum step_result
step_migrate(struct worker *w, int fd, struct connection *c)
{
	const struct worker_handler *old = worker_handler(w, c), *new;
	const struct half *half = connection_half(c);
	struct half *next = connection_other_half(c);
	unsigned n = step_half_number(c);
	const char *from;
	char *to;

	new = &w->handler[old->successor % HANDLER_ENTRIES];
	if (new->h == NULL)
		return step_fault(w, fd, "it is not there any more");
	from = arena_state(w->arena, fd, n, old->state_size);
	to = arena_scratch_state(w->arena, w->number, new->h->state_size);
	memset(to, 0, new->h->state_size);
	/* Before OPEN there are zeros, whatever the version. */
	if ((half->delivered & DELIVERED_OPEN) != 0 &&
	    !step_convert(old, new->h, from, to))
		return step_fault(w, fd, "it cannot convert the state");
	memcpy(arena_state(w->arena, fd, 1 - n, new->h->state_size), to,
	    new->h->state_size);
	*next = *half;
	next->entry = old->successor;
	/* The other version has not looked at the input. */
	c->seen = 0;
	step_commit(c);
	return STEP_MADE;
}

static void
step_log_note(struct worker *w, const struct connection *c, const char *name,
    const char *note)
{
	unsigned missed;

	if (log_rate_limit(&w->notes, &missed))
		log_notice("%s: handler %s: %.200s", worker_client_name(w, c),
		    name, note);
}

/* What the step is told about the connection's ends. */
static void
step_fill_peer(struct echod_peer *to, const struct peer *from, uint16_t port)
{
	to->family = from->family;
	to->port = from->port;
	to->local_port = port;
	to->reserved = 0;
	memcpy(to->address, from->address, sizeof(to->address));
}

/* The new timer.  One that has passed already is due in a moment: a handler
 * cannot make the worker spin. */
static uint64_t
step_wake(const struct echod_step *s)
{
	if (s->wake_ms != 0 && s->wake_ms <= s->now_ms)
		return s->now_ms + 1;
	return s->wake_ms < WAKE_MAX ? s->wake_ms : WAKE_MAX;
}

enum step_result
step_make(struct worker *w, int fd, struct connection *c,
    const struct serve_view *v)
{
	const struct worker_handler *wh = worker_handler(w, c);
	const struct half *half = connection_half(c);
	const struct echod_handler *h = wh->h;
	const char *broken;
	struct echod_peer peer;
	struct echod_step s;
	struct half next;
	uint64_t shown;
	uint32_t event;
	unsigned n;
	char *state;
	int answer;

	if (h == NULL)
		return step_migrate(w, fd, c);
	event = step_event(w, c, half, h->in_max);
	if (event == 0)
		return STEP_NONE;
	n = step_half_number(c);
	shown = step_shown(c, half, h->in_max);
	state = arena_scratch_state(w->arena, w->number, h->state_size);
	if (h->state_size > 0)
		memcpy(state, arena_state(w->arena, fd, n, h->state_size),
		    h->state_size);
	step_fill_peer(&peer, &c->peer, (uint16_t)wh->service->port);
	s = (struct echod_step){
		.event = event,
		.peer = &peer,
		.config = wh->config,
		.now_ms = worker_now(w),
		.unix_ms = w->unix_ms,
		.in = v->mem + (half->consumed - v->base),
		.in_len = (size_t)(shown - half->consumed),
		.state = state,
		.out = arena_scratch_output(w->arena, w->number),
		.out_max = h->out_max,
		.wake_ms = event == ECHOD_TIMER ? 0 : half->wake,
	};
	if (c->seen > half->consumed)
		s.in_seen = (size_t)(c->seen - half->consumed) < s.in_len
		    ? (size_t)(c->seen - half->consumed)
		    : s.in_len;
	s.flags = step_flags(c, half, s.in_len, h->in_max);
	w->stepping++;
	answer = h->step(&s);
	w->stepping++;
	w->moved++;
	if ((broken = contract_broken(h, &s, answer)) != NULL)
		return step_fault(w, fd, broken);
	if (answer == ECHOD_ABORT) {
		close_reset(w, fd, CLOSE_ABORTED);
		return STEP_CLOSED;
	}
	if (event == ECHOD_DATA && answer == ECHOD_WAIT && s.consume == 0 &&
	    s.write == 0 && s.wake_ms == half->wake &&
	    memcmp(state, arena_state(w->arena, fd, n, h->state_size),
		h->state_size) == 0) {
		c->seen = shown;
		/* At the end of the input, EOF comes at once. */
		return step_event(w, c, half, h->in_max) == 0 ? STEP_NONE
							      : STEP_MADE;
	}
	next = *half;
	next.consumed += s.consume;
	next.produced += s.write + s.pass;
	next.written = (uint32_t)s.write;
	next.passed = (uint32_t)s.pass;
	next.wake = step_wake(&s);
	if (event == ECHOD_OPEN)
		next.delivered |= DELIVERED_OPEN;
	if (event == ECHOD_EOF)
		next.delivered |= DELIVERED_EOF;
	next.next = (unsigned)answer;
	if (answer == ECHOD_WAIT && (next.delivered & DELIVERED_EOF) != 0)
		next.next = ECHOD_FINISH;
	*connection_other_half(c) = next;
	if (h->state_size > 0)
		memcpy(arena_state(w->arena, fd, 1 - n, h->state_size), state,
		    h->state_size);
	step_commit(c);
	if (event == ECHOD_DATA && s.consume == 0)
		c->seen = shown;
	if (s.note != NULL)
		step_log_note(w, c, h->name, s.note);
	return STEP_MADE;
}
