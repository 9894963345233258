/* SPDX-License-Identifier: ISC */
/*
 * The table of handlers, by kind.
 */
#include "handler/handler.h"

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
