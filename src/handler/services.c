/* SPDX-License-Identifier: ISC */
/*
 * What a configuration asks of handlers: the services, with file and line.
 */
#include "handler/services.h"

#include <stdio.h>

#include "config/directive.h"
#include "config/origin.h"

#define SERVICES_WHERE 512

_Static_assert(IMAGE_SERVICES == CONFIG_SERVICES_MAX &&
	IMAGE_OPTIONS == CONFIG_OPTIONS_MAX,
    "an image has room for each service");

static char where[IMAGE_SERVICES][IMAGE_OPTIONS + 1][SERVICES_WHERE];

/* "redis.conf:12: handler", "-o handler", or "handler" by default. */
static const char *
services_where(const struct config *c, const struct setting *s,
    const char *prefix, const char *directive, char *text)
{
	if (s->origin == ORIGIN_FILE)
		snprintf(text, SERVICES_WHERE, "%s:%u: %s%s",
		    config_origin_file(c, s), s->line, prefix, directive);
	else
		snprintf(text, SERVICES_WHERE, "%s%s%s",
		    s->origin == ORIGIN_COMMAND_LINE ? "-o " : "", prefix,
		    directive);
	return text;
}

void
services_request(const struct config *c, struct image_request *r)
{
	const struct directive *d = directive_find("handler");

	*r = (struct image_request){ .services = c->services,
		.user = c->user,
		.group = c->group };
	for (unsigned i = 0; i < c->services; i++) {
		const struct service_config *s = &c->service[i];
		struct image_service *to = &r->service[i];

		*to = (struct image_service){
			.name = s->name,
			.handler = s->handler,
			.options = s->options,
			.where = services_where(c, origin_look(c, s, d), "",
			    "handler", where[i][IMAGE_OPTIONS]),
		};
		for (unsigned n = 0; n < s->options; n++)
			to->option[n] = (struct image_option){
				s->option[n].name,
				s->option[n].value,
				services_where(c, &s->option[n].setting,
				    "handler.", s->option[n].name, where[i][n]),
			};
	}
}
