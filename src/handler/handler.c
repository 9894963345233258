/* SPDX-License-Identifier: ISC */
/*
 * The built-in handlers, by name.
 */
#include "handler/handler.h"

#include <string.h>

const struct echod_handler *
handler_builtin(const char *name)
{
	static const struct echod_handler *const handlers[] = { &handler_echo,
		&handler_raw, &handler_discard };

	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (strcmp(handlers[i]->name, name) == 0)
			return handlers[i];
	return NULL;
}
