/* SPDX-License-Identifier: ISC */
/*
 * The services of a configuration.
 */
#include "config/services.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <bsd/string.h>

#include "config/origin.h"
#include "config/text.h"
#include "config/value.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

int
services_check_name(const char *name, char *why, size_t size)
{
	size_t n = strspn(name, LOWER UPPER DIGITS "_.-");
	char shown[80];

	if (n > 0 && n < CONFIG_SERVICE_NAME && name[n] == '\0')
		return 0;
	snprintf(why, size,
	    "\"%s\" is no name of a service: it takes 1 to %d of A-Z a-z 0-9 "
	    "_ . -",
	    text_show(shown, sizeof(shown), name, TEXT_ASCII),
	    CONFIG_SERVICE_NAME - 1);
	return -1;
}

const struct service_config *
services_find(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->services; i++)
		if (strcasecmp(c->service[i].name, name) == 0)
			return &c->service[i];
	return NULL;
}

struct service_config *
services_add(struct config *c, const char *name, char *why, size_t size)
{
	const struct service_config *other = services_find(c, name);
	struct service_config *s = &c->service[c->services];
	char shown[128];

	if (other != NULL) {
		snprintf(why, size, "service %s is there already, from %s:%u",
		    other->name,
		    text_show(shown, sizeof(shown),
			config_origin_file(c, &other->section), 0),
		    other->section.line);
		return NULL;
	}
	if (c->services == CONFIG_SERVICES_MAX) {
		snprintf(why, size, "more than %d services",
		    CONFIG_SERVICES_MAX);
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	strlcpy(s->name, name, sizeof(s->name));
	c->services++;
	return s;
}

int
services_check_option(const char *name, char *why, size_t size)
{
	size_t n = strspn(name, LOWER DIGITS "-");
	char shown[80];

	if (n > 0 && n < CONFIG_OPTION_NAME && name[n] == '\0')
		return 0;
	snprintf(why, size,
	    "\"%s\" is no name of an option: it takes 1 to %d of a-z 0-9 -",
	    text_show(shown, sizeof(shown), name, TEXT_ASCII),
	    CONFIG_OPTION_NAME - 1);
	return -1;
}

const struct handler_option *
services_option(const struct service_config *s, const char *name)
{
	for (unsigned i = 0; i < s->options; i++)
		if (strcmp(s->option[i].name, name) == 0)
			return &s->option[i];
	return NULL;
}

/* The option of this name, which is added if it is missing; NULL if there is no
 * room. */
static struct handler_option *
services_option_place(struct service_config *s, const char *name)
{
	const struct handler_option *o = services_option(s, name);

	if (o != NULL)
		return &s->option[o - s->option];
	if (s->options == CONFIG_OPTIONS_MAX)
		return NULL;
	memset(&s->option[s->options], 0, sizeof(s->option[0]));
	strlcpy(s->option[s->options].name, name, sizeof(s->option[0].name));
	return &s->option[s->options++];
}

int
services_set_option(struct service_config *s, const char *name,
    const char *value, struct setting **setting, char *why, size_t size)
{
	char checked[CONFIG_VALUE_BYTES];
	struct handler_option *o;

	if (value_set_text(checked, sizeof(checked), value, why, size) == -1)
		return -1;
	o = services_option_place(s, name);
	if (o == NULL) {
		snprintf(why, size, "more than %d options", CONFIG_OPTIONS_MAX);
		return -1;
	}
	strlcpy(o->value, checked, sizeof(o->value));
	*setting = &o->setting;
	return 0;
}

bool
services_have_sections(const struct config *c)
{
	return c->services > 0 && c->service[0].section.line != 0;
}

/* Let `s` have the options of `from` that it does not set itself.  Returns 0,
 * or -1 if there is no room. */
static int
services_inherit_options(struct service_config *s,
    const struct service_config *from)
{
	for (unsigned i = 0; i < from->options; i++) {
		struct handler_option *o;

		if (services_option(s, from->option[i].name) != NULL)
			continue;
		o = services_option_place(s, from->option[i].name);
		if (o == NULL)
			return -1;
		*o = from->option[i];
		o->setting.inherited = true;
	}
	return 0;
}

static int
services_inherit(struct config *c, struct service_config *s)
{
	struct service_config *from = &c->defaults;
	bool handler = false;

	for (unsigned i = 0; i < directive_count; i++) {
		const struct directive *d = &directives[i];
		struct setting *own = directive_setting(c, s, d);

		if (!d->service || own->origin != ORIGIN_DEFAULT)
			continue;
		/* The limit at the top is that of all services together. */
		if (d->total) {
			*(unsigned *)directive_place(c, s, d) = 0;
			continue;
		}
		value_copy(s, from, d);
		*own = *directive_setting(c, from, d);
		own->inherited = true;
		handler |= d->type == TYPE_HANDLER;
	}
	return handler ? services_inherit_options(s, from) : 0;
}

void
config_make_service(struct config *c)
{
	memset(&c->service[0], 0, sizeof(c->service[0]));
	strlcpy(c->service[0].name, CONFIG_SERVICE_DEFAULT,
	    sizeof(c->service[0].name));
	c->services = 1;
	(void)services_inherit(c, &c->service[0]);
}

int
services_settle(struct config *c, struct config_error *e)
{
	char shown[PATH_MAX];

	if (c->services == 0)
		config_make_service(c);
	for (unsigned i = 0; i < c->services; i++) {
		struct service_config *s = &c->service[i];

		if (services_inherit(c, s) == 0)
			continue;
		snprintf(e->text, sizeof(e->text),
		    "%s:%u: service %s: more than %d options of its "
		    "handler, with those that it inherits",
		    text_show(shown, sizeof(shown),
			config_origin_file(c, &s->section), 0),
		    s->section.line, s->name, CONFIG_OPTIONS_MAX);
		return -1;
	}
	return 0;
}

const char *
services_label(char *text, size_t size, const struct service_config *s,
    const char *name)
{
	if (s->section.line != 0)
		snprintf(text, size, "service %s: %s", s->name, name);
	else
		snprintf(text, size, "%s", name);
	return text;
}
