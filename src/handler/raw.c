/* SPDX-License-Identifier: ISC */
/*
 * Raw echo (RFC 862): all input is echoed at once.
 */
#include "handler/handler.h"

static struct result
raw_data(const char *in, size_t len, size_t fresh, size_t room)
{
	(void)in;
	(void)fresh;
	(void)room;
	return (struct result){ REPLY, len };
}

static struct result
raw_eof(const char *in, size_t len)
{
	(void)in;
	return (struct result){ REPLY, len };
}

const struct handler handler_raw = {
	.name = "raw",
	.data = raw_data,
	.eof = raw_eof,
};
