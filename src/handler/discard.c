/* SPDX-License-Identifier: ISC */
/*
 * Discard (RFC 863): all input is dropped.
 */
#include "handler/handler.h"

static struct result
discard_data(const char *in, size_t len, size_t fresh, size_t room)
{
	(void)in;
	(void)fresh;
	(void)room;
	return (struct result){ DROP, len };
}

static struct result
discard_eof(const char *in, size_t len)
{
	(void)in;
	return (struct result){ DROP, len };
}

const struct handler handler_discard = {
	.name = "discard",
	.data = discard_data,
	.eof = discard_eof,
};
