/* SPDX-License-Identifier: ISC */
/*
 * One call of the step function: in memory between guard pages, with an answer
 * that is checked.
 */
#include "handler-test/call.h"

#include <stdio.h>
#include <string.h>

#include "handler-test/guard.h"
#include "handler-test/tester.h"
#include "handler/contract.h"

#define CALL_NOTE 4096 /* a note is not longer */
#define PLACES 2

static struct guard in_room, out_room, old_room;
static struct guard state_room[PLACES], config_room[PLACES];
static unsigned turn; /* the place of state and config */
static size_t config_size;

static const struct echod_peer peer = {
	.family = 2, /* AF_INET */
	.port = 40007,
	.local_port = 7,
	.address = { 192, 0, 2, 7 },
};

static size_t
call_align(size_t n)
{
	return (n + CONTRACT_ALIGN - 1) / CONTRACT_ALIGN * CONTRACT_ALIGN;
}

static size_t
call_state_room(const struct module *m)
{
	return call_align(m->handler->state_size);
}

void
call_begin(const struct module *m)
{
	guard_map(&in_room, "in", m->handler->in_max, true);
	guard_map(&out_room, "out", call_align(m->handler->out_max), false);
	guard_map(&old_room, "the old state", ECHOD_STATE_LIMIT, true);
	config_size = m->config_size;
	for (int i = 0; i < PLACES; i++) {
		guard_map(&state_room[i], "state", call_state_room(m), false);
		if (m->config == NULL)
			continue;
		guard_map(&config_room[i], "config", call_align(config_size),
		    true);
		memcpy(config_room[i].alias + config_room[i].size -
			call_align(config_size),
		    m->config, config_size);
		guard_hide(&config_room[i], i != 0);
	}
}

static const void *
call_config(const struct module *m)
{
	const struct guard *g = &config_room[turn];

	if (m->config == NULL)
		return NULL;
	return g->view + g->size - call_align(config_size);
}

static void
call_move(const struct module *m)
{
	unsigned next = (turn + 1) % PLACES;

	if (m->config != NULL) {
		guard_hide(&config_room[next], false);
		guard_hide(&config_room[turn], true);
	}
	turn = next;
}

/* All of `n` bytes are `c`. */
static bool
call_is_filled(const char *p, size_t n, uint8_t c)
{
	return n == 0 || ((uint8_t)p[0] == c && memcmp(p, p + 1, n - 1) == 0);
}

static char *
call_state_place(const struct module *m, bool in_front)
{
	const struct guard *g = &state_room[turn];

	/* Each access to a state of no bytes is one too many. */
	if (m->handler->state_size == 0)
		return g->view + g->size;
	return in_front ? g->view : g->view + g->size - call_state_room(m);
}

static char *
call_in_place(size_t len, bool in_front)
{
	return in_front ? in_room.alias : in_room.alias + in_room.size - len;
}

/* Nothing around state and output was written. */
static void
call_check_edges(const struct module *m, const struct call_place *place,
    uint32_t event, const char *state, const char *out)
{
	const struct guard *g = &state_room[turn];
	size_t size = m->handler->state_size, max = m->handler->out_max;
	const char *end = g->view + g->size;

	if (size > 0 &&
	    (!call_is_filled(g->view, (size_t)(state - g->view),
		 place->poison) ||
		!call_is_filled(state + size, (size_t)(end - (state + size)),
		    place->poison)))
		tester_found(PROMISE_BOUNDS, event,
		    "it writes beside its state of %zu bytes", size);
	if (!call_is_filled(out_room.view, (size_t)(out - out_room.view),
		place->poison) ||
	    !call_is_filled(out + max, call_align(max) - max, place->poison))
		tester_found(PROMISE_BOUNDS, event,
		    "it writes beside the %zu bytes of `out`", max);
}

static void
call_check_note(const char *note, uint32_t event)
{
	if (note != NULL && strnlen(note, CALL_NOTE) == CALL_NOTE)
		tester_found(PROMISE_BOUNDS, event,
		    "its note has no end within %d bytes", CALL_NOTE);
}

/* The promise that an answer breaks that contract_broken() refuses. */
static enum promise
call_promise(const struct module *m, const struct echod_step *s, int next)
{
	if (next < ECHOD_WAIT || next > ECHOD_ABORT)
		return PROMISE_CALLS;
	if (s->consume > s->in_len || s->write > m->handler->out_max ||
	    s->pass > s->consume)
		return PROMISE_BOUNDS;
	return next == ECHOD_AGAIN ? PROMISE_CALLS : PROMISE_FULL;
}

int
call_step(const struct module *m, const struct call_place *place,
    struct echod_step *told, const void *state, void *after, char *out)
{
	struct echod_step s = *told;
	const char *broken, *address;
	char *own, *room;
	int next;

	if (place->move)
		call_move(m);
	if (place->renew)
		module_renew();
	own = call_state_place(m, place->in_front);
	room = out_room.view + out_room.size - call_align(m->handler->out_max);
	memset(state_room[turn].view, place->poison, state_room[turn].size);
	memset(out_room.view, place->poison, out_room.size);
	memcpy(own, state, m->handler->state_size);
	memcpy(call_in_place(s.in_len, place->in_front), told->in, s.in_len);
	s.in = call_in_place(s.in_len, place->in_front) - in_room.alias +
	    in_room.view;
	s.peer = &peer;
	s.config = call_config(m);
	s.state = own;
	s.out = room;
	s.out_max = m->handler->out_max;
	s.consume = s.write = s.pass = 0;
	s.note = NULL;

	tester->serial++;
	tester->event = s.event;
	tester->inside = INSIDE_STEP;
	next = m->handler->step(&s);
	call_check_note(s.note, s.event);
	tester->inside = INSIDE_NOTHING;
	tester->steps++;

	call_check_edges(m, place, s.event, own, room);
	broken = contract_broken(m->handler, &s, next);
	if (broken != NULL) {
		tester_found(call_promise(m, &s, next), s.event,
		    "%s (returned %d, in_len %zu, consume %zu, write %zu, pass "
		    "%zu)",
		    broken, next, s.in_len, s.consume, s.write, s.pass);
		return -1;
	}
	memcpy(after, own, m->handler->state_size);
	memcpy(out, room, s.write);
	address = module_address_in(after, m->handler->state_size);
	if (address != NULL)
		tester_found(PROMISE_MOVED, s.event,
		    "its state holds an address of %s, which another worker "
		    "has not",
		    address);
	told->consume = s.consume;
	told->write = s.write;
	told->pass = s.pass;
	told->wake_ms = s.wake_ms;
	return next;
}

int
call_migrate(const struct module *m, uint32_t from, const void *old,
    size_t old_size, void *after)
{
	const struct call_place place = { .poison = 0xa5 };
	const char *end = state_room[turn].view + state_room[turn].size;
	char *own = call_state_place(m, false);
	char *there = old_room.alias + old_room.size - call_align(old_size);
	int result;

	memset(state_room[turn].view, place.poison, state_room[turn].size);
	memset(own, 0, m->handler->state_size);
	memset(there, 0, call_align(old_size));
	memcpy(there, old, old_size);
	tester->serial++;
	tester->event = 0;
	tester->inside = INSIDE_MIGRATE;
	result = m->handler->migrate(from,
	    there - old_room.alias + old_room.view, old_size, own);
	tester->inside = INSIDE_NOTHING;
	if (m->handler->state_size > 0 &&
	    !call_is_filled(own + m->handler->state_size,
		(size_t)(end - (own + m->handler->state_size)), place.poison)) {
		tester_found(PROMISE_MIGRATE, 0,
		    "migrate() writes beside the state of %u bytes",
		    m->handler->state_size);
		return -2;
	}
	if (result != 0 && result != -1) {
		tester_found(PROMISE_MIGRATE, 0,
		    "migrate() returns %d, not 0 or -1", result);
		return -2;
	}
	memcpy(after, own, m->handler->state_size);
	return result;
}

void
call_note_fault(const void *address)
{
	bool edge = false;
	const char *name = guard_name(address, &edge);
	enum promise promise = PROMISE_CALLS;
	const char *how = "touches memory that is not there";

	if (name != NULL) {
		promise = PROMISE_BOUNDS;
		how = edge ? "reaches over the edge of" : "writes to";
	}
	if (name != NULL && !edge && strcmp(name, "config") == 0 &&
	    address >= (const void *)config_room[(turn + 1) % PLACES].view &&
	    address < (const void *)(config_room[(turn + 1) % PLACES].view +
			  config_room[0].size)) {
		promise = PROMISE_MOVED;
		how = "keeps an address in";
	}
	if (tester->inside == INSIDE_MIGRATE)
		promise = PROMISE_MIGRATE;
	tester->fault_promise = promise;
	snprintf(tester->fault, sizeof(tester->fault), "%s%s%s", how,
	    name == NULL ? "" : " ", name == NULL ? "" : name);
}
