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

enum handler_kind
handler_named(const char *name)
{
	enum handler_kind kind = HANDLER_KINDS;

	while (kind-- > HANDLER_ECHO + 1)
		if (strcmp(handlers[kind]->name, name) == 0)
			return kind;
	return HANDLER_ECHO;
}
