/* SPDX-License-Identifier: ISC */
/*
 * The table of handlers, by kind.
 */
#include "handler/handler.h"

#include <string.h>

static const struct handler *const handlers[HANDLER_KINDS] = {
	[HANDLER_ECHO] = &handler_echo,
	[HANDLER_RAW] = &handler_raw,
	[HANDLER_DISCARD] = &handler_discard,
};

const struct handler *
handler_of(enum handler_kind kind)
{
	return handlers[kind];
}

static int
handler_step(struct echod_step *s)
{
	s->consume = s->pass = s->in_len;
	return s->event == ECHOD_EOF ? ECHOD_FINISH : ECHOD_WAIT;
}

#define BUILTIN(n) \
	{ \
		.abi = ECHOD_ABI, .size = sizeof(struct echod_handler), \
		.name = n, .version = PACKAGE_VERSION, .in_max = 65536, \
		.out_max = 1, .step = handler_step \
	}

static const struct echod_handler builtin[HANDLER_KINDS] = {
	BUILTIN("echo"),
	BUILTIN("raw"),
	BUILTIN("discard"),
};

const struct echod_handler *
handler_builtin(const char *name)
{
	for (int i = 0; i < HANDLER_KINDS; i++)
		if (strcmp(builtin[i].name, name) == 0)
			return &builtin[i];
	return NULL;
}

enum handler_kind
handler_named(const char *name)
{
	enum handler_kind kind = HANDLER_KINDS;

	while (kind-- > HANDLER_ECHO + 1)
		if (strcmp(handlers[kind]->name, name) == 0)
			return kind;
	return HANDLER_ECHO;
}
