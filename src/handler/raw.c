/*
 * Raw echo (RFC 862): whatever arrives goes back at once.
 */
#include "handler/handler.h"

static struct ruling
raw_data(const char *in, size_t len, size_t fresh, size_t room)
{
	(void)in;
	(void)fresh;
	(void)room;
	return (struct ruling){ REPLY, len };
}

static struct ruling
raw_eof(const char *in, size_t len)
{
	(void)in;
	return (struct ruling){ REPLY, len };
}

const struct handler handler_raw = {
	.name = "raw",
	.data = raw_data,
	.eof = raw_eof,
};
