/* SPDX-License-Identifier: ISC */
/*
 * What a configuration asks of handlers: the services, with file and line.
 */
#include "handler/services.h"

#include <stdio.h>

#include "config/directive.h"
#include "config/origin.h"
#include "config/value.h"

/* "redis.conf:12: handler", or "handler" if no file sets it. */
static const char *
services_where(const struct config *c, const struct setting *s,
    const char *directive, char *text, size_t size)
{
	if (s->origin == ORIGIN_FILE)
		snprintf(text, size, "%s:%u: %s", config_origin_file(c, s),
		    s->line, directive);
	else
		snprintf(text, size, "%s", directive);
	return text;
}

void
services_request(const struct config *c, struct image_request *r)
{
	static char handler[LOAD_PATH], where[PATH_MAX + 64];
	const struct directive *d = directive_find("handler");

	value_format(c, d, handler, sizeof(handler));
	*r = (struct image_request){ .services = 1, .user = c->user,
		.group = c->group };
	r->service[0] = (struct image_service){ .name = "default",
		.handler = handler,
		.where = services_where(c, &c->origin[d - directives],
		    "handler", where, sizeof(where)) };
}
