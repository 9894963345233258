/*
 * Discard (RFC 863): whatever arrives is thrown away.
 */
#include "handler/handler.h"

static struct ruling
discard_data(const char *in, size_t len, size_t fresh, size_t room)
{
	(void)in;
	(void)fresh;
	(void)room;
	return (struct ruling){ DROP, len };
}

static struct ruling
discard_eof(const char *in, size_t len)
{
	(void)in;
	return (struct ruling){ DROP, len };
}

const struct handler handler_discard = {
	.name = "discard",
	.data = discard_data,
	.eof = discard_eof,
};
