/* SPDX-License-Identifier: ISC */
/*
 * A handler's connection without a server: its steps, driven as the service
 * drives them.
 *
 * Each step is made twice, the first time with a later clock, and that one
 * counts for nothing, as after a death.  Input, output and state have memory
 * with bounds of its own, at another address in each step.
 */
#ifndef ECHOD_TESTS_CONVERSATION_H
#define ECHOD_TESTS_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>

#include "echod/handler.h"

struct conversation {
	const struct echod_handler *h;
	struct echod_peer peer;
	char *in, *out, *state;
	size_t in_len, out_len, out_room;
	size_t seen; /* input that a DATA has looked at and left */
	int next;
	bool opened, finished;
	unsigned steps;
	const char *broken; /* the promise that the handler broke, or NULL */
};

void conversation_begin(struct conversation *c, const struct echod_handler *h);
/* The first step, without input if conversation_feed() has not been called. */
void conversation_open(struct conversation *c);
/* Input arrives.  The client takes all output. */
void conversation_feed(struct conversation *c, const char *data, size_t n);
/* No more input will come. */
void conversation_end(struct conversation *c);
void conversation_free(struct conversation *c);

#endif
