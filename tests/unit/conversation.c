/* SPDX-License-Identifier: ISC */
/*
 * The steps of a handler, in the order of echod/handler.h.
 */
#include "conversation.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "handler/contract.h"

/* 2026-11-25 */
#define CONVERSATION_UNIX_MS 1795627412345
#define CONVERSATION_NOW_MS 1000

static void *
conversation_room(size_t n)
{
	void *room = malloc(n > 0 ? n : 1);

	if (room == NULL)
		abort();
	return room;
}

static void *
conversation_copy(const void *from, size_t n)
{
	return memcpy(conversation_room(n), from, n);
}

static void
conversation_try(struct conversation *c, struct echod_step *s, uint32_t event,
    uint32_t flags, uint64_t late)
{
	*s = (struct echod_step){
		.event = event,
		.flags = flags | (c->in_len == c->h->in_max ? ECHOD_FULL : 0),
		.peer = &c->peer,
		.now_ms = CONVERSATION_NOW_MS + late,
		.unix_ms = CONVERSATION_UNIX_MS + late,
		.in = conversation_copy(c->in, c->in_len),
		.in_len = c->in_len,
		.in_seen = event == ECHOD_DATA ? c->seen : 0,
		.state = conversation_copy(c->state, c->h->state_size),
		.out = memset(conversation_room(c->h->out_max), 0xa5,
		    c->h->out_max),
		.out_max = c->h->out_max,
	};
	c->next = c->h->step(s);
}

static void
conversation_forget(struct echod_step *s)
{
	free((void *)(uintptr_t)s->in);
	free(s->state);
	free(s->out);
}

static void
conversation_say(struct conversation *c, const char *data, size_t n)
{
	if (n == 0)
		return;
	if (c->out_len + n > c->out_room) {
		c->out_room = 2 * (c->out_len + n);
		c->out = realloc(c->out, c->out_room);
		if (c->out == NULL)
			abort();
	}
	memcpy(c->out + c->out_len, data, n);
	c->out_len += n;
}

/* Returns true if input was consumed. */
static bool
conversation_step(struct conversation *c, uint32_t event, uint32_t flags)
{
	struct echod_step s;
	bool moved;

	conversation_try(c, &s, event, flags, 60000);
	conversation_forget(&s);
	conversation_try(c, &s, event, flags, 0);
	c->steps++;
	c->broken = contract_broken(c->h, &s, c->next);
	moved = c->broken == NULL && s.consume > 0;
	if (c->broken == NULL && c->next != ECHOD_ABORT) {
		conversation_say(c, s.out, s.write);
		conversation_say(c, s.in + s.consume - s.pass, s.pass);
		c->in_len -= s.consume;
		memmove(c->in, c->in + s.consume, c->in_len);
		memcpy(c->state, s.state, c->h->state_size);
	}
	if (event == ECHOD_DATA && !moved)
		c->seen = c->in_len;
	else if (moved)
		c->seen = 0;
	c->finished = c->broken != NULL || c->next == ECHOD_ABORT ||
	    c->next == ECHOD_FINISH ||
	    (c->next == ECHOD_WAIT && event == ECHOD_EOF);
	conversation_forget(&s);
	return moved;
}

static void
conversation_settle(struct conversation *c, uint32_t flags)
{
	if (!c->opened)
		conversation_open(c);
	for (;;) {
		bool more = c->next == ECHOD_AGAIN;

		if (c->finished || (!more && c->in_len <= c->seen))
			return;
		conversation_step(c, more ? ECHOD_MORE : ECHOD_DATA, flags);
	}
}

void
conversation_begin(struct conversation *c, const struct echod_handler *h)
{
	memset(c, 0, sizeof(*c));
	c->h = h;
	c->peer.family = AF_INET;
	c->peer.port = 1234;
	c->peer.local_port = 6379;
	memcpy(c->peer.address, "\177\0\0\1", 4);
	c->in = conversation_room(h->in_max);
	c->state = conversation_room(h->state_size);
	memset(c->state, 0, h->state_size);
}

void
conversation_open(struct conversation *c)
{
	c->opened = true;
	conversation_step(c, ECHOD_OPEN, 0);
}

void
conversation_feed(struct conversation *c, const char *data, size_t n)
{
	while (n > 0 && !c->finished) {
		size_t part = c->h->in_max - c->in_len;

		if (part > n)
			part = n;
		memcpy(c->in + c->in_len, data, part);
		c->in_len += part;
		conversation_settle(c, 0);
		data += part;
		n -= part;
	}
}

void
conversation_end(struct conversation *c)
{
	conversation_settle(c, ECHOD_LAST);
	if (c->finished)
		return;
	conversation_step(c, ECHOD_EOF, ECHOD_LAST);
	conversation_settle(c, ECHOD_LAST);
	c->finished = true;
}

void
conversation_free(struct conversation *c)
{
	free(c->in);
	free(c->out);
	free(c->state);
}
