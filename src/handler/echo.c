/* SPDX-License-Identifier: ISC */
/*
 * Line echo: a line is echoed, byte for byte, when its newline has arrived.
 */
#include "handler/handler.h"

#include <string.h>

static struct result
echo_data(const char *in, size_t len, size_t fresh, size_t room)
{
	/* The bytes before the fresh ones have no newline: they were searched
	 * before. */
	const char *newline = memrchr(in + len - fresh, '\n', fresh);

	/* All lines that have arrived are echoed together. */
	if (newline != NULL)
		return (struct result){ REPLY, (size_t)(newline - in) + 1 };
	/* A line that is too long to be held is echoed in pieces. */
	if (room == 0)
		return (struct result){ REPLY, len };
	return (struct result){ HOLD, 0 };
}

static struct result
echo_eof(const char *in, size_t len)
{
	(void)in;
	return (struct result){ REPLY, len };
}

const struct handler handler_echo = {
	.name = "echo",
	.data = echo_data,
	.eof = echo_eof,
};
