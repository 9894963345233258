/* SPDX-License-Identifier: ISC */
/*
 * A configuration as text: for people (-T), for the next program, and to find
 * what differs between two of them.
 *
 * For the next program each directive has two items: "set.NAME" with its value
 * and "from.NAME" with origin, line and note.  If the value comes from an
 * included file, the item "in.NAME" between them names the file.  An option of
 * the handler is the directive "handler.NAME".
 *
 * These are the values at the top of the file.  If there are sections, the item
 * "section" begins each with its name; "service.SERVICE.set.NAME" and so on
 * follow, inherited values too, and "service.SERVICE.section" is its place.
 */
#include "config/serialize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "config/line.h"
#include "config/origin.h"
#include "config/services.h"
#include "config/text.h"
#include "config/value.h"

#define VALUE_BYTES (PATH_MAX + 1024)
#define KEY_BYTES (CONFIG_SERVICE_NAME + CONFIG_OPTION_NAME + 40)
/* Added to the origin in "from." if the value is inherited. */
#define INHERITED 4

/* Items of one service, or of the top. */
struct writer {
	const struct config *c;
	const struct service_config *s;
	char prefix[CONFIG_SERVICE_NAME + 10]; /* "", "service.NAME." */
	config_put *put;
	void *to;
};

static void
serialize_put(const struct writer *w, const char *kind, const char *name,
    const char *value)
{
	char key[KEY_BYTES];

	snprintf(key, sizeof(key), "%s%s%s", w->prefix, kind, name);
	w->put(w->to, key, value);
}

static void
serialize_save_one(const struct writer *w, const char *name, const char *value,
    const struct setting *s)
{
	char text[sizeof(s->note) + 32];

	serialize_put(w, "set.", name, value);
	if (s->origin == ORIGIN_FILE && s->file != 0)
		serialize_put(w, "in.", name, config_origin_file(w->c, s));
	snprintf(text, sizeof(text), "%u %u %s",
	    (unsigned)s->origin + (s->inherited ? INHERITED : 0), s->line,
	    s->note);
	serialize_put(w, "from.", name, text);
}

static void
serialize_save_all(const struct writer *w)
{
	char value[VALUE_BYTES], name[KEY_BYTES];

	for (unsigned i = 0; i < directive_count; i++) {
		const struct directive *d = &directives[i];

		if (w->prefix[0] != '\0' && !d->service)
			continue;
		value_format(w->c, w->s, d, value, sizeof(value));
		serialize_save_one(w, d->name, value,
		    origin_look(w->c, w->s, d));
	}
	for (unsigned i = 0; i < w->s->options; i++) {
		const struct handler_option *o = &w->s->option[i];

		snprintf(name, sizeof(name), SERVICES_OPTION "%s", o->name);
		serialize_save_one(w, name, o->value, &o->setting);
	}
}

void
config_save(const struct config *c, config_put *put, void *to)
{
	struct writer w = { c, &c->defaults, "", put, to };
	char value[VALUE_BYTES];

	put(to, "file", c->file);
	snprintf(value, sizeof(value), "%u %s", c->ignored.count,
	    c->ignored.names);
	put(to, "ignored", value);
	serialize_save_all(&w);
	for (unsigned i = 0; services_have_sections(c) && i < c->services;
	     i++) {
		w.s = &c->service[i];
		put(to, "section", w.s->name);
		snprintf(w.prefix, sizeof(w.prefix), LINE_SERVICE "%s.",
		    w.s->name);
		serialize_save_one(&w, "section", "", &w.s->section);
		serialize_save_all(&w);
	}
}

static int
serialize_restore_ignored(struct ignored *ignored, const char *value)
{
	char *names;

	ignored->count = (unsigned)strtoul(value, &names, 10);
	if (*names != ' ')
		return -1;
	strlcpy(ignored->names, names + 1, sizeof(ignored->names));
	return 0;
}

static int
serialize_restore_origin(struct setting *s, const char *value)
{
	unsigned origin, line;
	int note = 0;

	/* NOLINTNEXTLINE(cert-err34-c): config_save() wrote two unsigned */
	if (sscanf(value, "%u %u%n", &origin, &line, &note) != 2 ||
	    (origin & ~INHERITED) > ORIGIN_COMMAND_LINE || value[note] != ' ')
		return -1;
	s->origin = origin & ~INHERITED;
	s->inherited = (origin & INHERITED) != 0;
	s->line = line;
	strlcpy(s->note, value + note + 1, sizeof(s->note));
	return 0;
}

/* Take back an option of the handler. */
static int
serialize_restore_option(struct service_config *s, const char *name,
    const char *value, struct setting **setting)
{
	char why[CONFIG_WHY];

	if (services_check_option(name, why, sizeof(why)) == -1)
		return -1;
	return services_set_option(s, name, value, setting, why, sizeof(why));
}

/* Take back an item of one service, or of the top.  Returns as
 * config_restore() does. */
static int
serialize_restore_one(struct config *c, struct service_config *s,
    const char *key, const char *value)
{
	const char *name = strchr(key, '.');
	const struct directive *d = NULL;
	const struct handler_option *o = NULL;
	struct setting *setting = NULL;
	size_t n = sizeof(SERVICES_OPTION) - 1;
	char why[CONFIG_WHY];

	if (name == NULL)
		return 1;
	name++;
	if (strncmp(name, SERVICES_OPTION, n) == 0) {
		if (strncmp(key, "set.", 4) == 0)
			return serialize_restore_option(s, name + n, value,
			    &setting);
		o = services_option(s, name + n);
		if (o != NULL)
			setting = &s->option[o - s->option].setting;
	} else if (strcmp(name, "section") == 0)
		setting = &s->section;
	else if ((d = directive_find(name)) != NULL)
		setting = directive_setting(c, s, d);
	if (setting == NULL)
		return 1;
	if (strncmp(key, "from.", 5) == 0)
		return serialize_restore_origin(setting, value);
	if (strncmp(key, "in.", 3) == 0)
		return origin_set_file(c, setting, value);
	if (strncmp(key, "set.", 4) != 0 || d == NULL)
		return 1;
	return value_set(c, s, d, value, why, sizeof(why));
}

int
config_restore(struct config *c, const char *key, const char *value)
{
	struct service_config *s = NULL;
	size_t n = sizeof(LINE_SERVICE) - 1, len;
	char why[CONFIG_WHY];

	if (strcmp(key, "file") == 0)
		return strlcpy(c->file, value, sizeof(c->file)) <
			sizeof(c->file)
		    ? 0
		    : -1;
	if (strcmp(key, "ignored") == 0)
		return serialize_restore_ignored(&c->ignored, value);
	if (strcmp(key, "section") == 0)
		return services_check_name(value, why, sizeof(why)) == 0 &&
			services_add(c, value, why, sizeof(why)) != NULL
		    ? 0
		    : -1;
	if (strncmp(key, LINE_SERVICE, n) != 0)
		return serialize_restore_one(c, &c->defaults, key, value);
	/* Of the service that was begun last. */
	if (c->services == 0)
		return 1;
	s = &c->service[c->services - 1];
	len = strlen(s->name);
	if (strncmp(key + n, s->name, len) != 0 || key[n + len] != '.')
		return 1;
	return serialize_restore_one(c, s, key + n + len + 1, value);
}

/* Two configurations that are compared. */
struct comparison {
	const struct config *was, *is;
	config_tell *tell;
	unsigned n;
};

static void
serialize_differ(struct comparison *x, const char *name, const char *before,
    const char *after)
{
	if (strcmp(before, after) == 0)
		return;
	x->tell(name, before, after);
	x->n++;
}

static const char *
serialize_option_value(const struct service_config *s, const char *name,
    bool inherited)
{
	const struct handler_option *o = services_option(s, name);

	return o == NULL || (o->setting.inherited && !inherited) ? ""
								 : o->value;
}

/* Compare the options that one of the two has. */
static void
serialize_compare_options(struct comparison *x,
    const struct service_config *was, const struct service_config *is)
{
	char name[KEY_BYTES], label[SERVICES_LABEL];
	const struct service_config *one = was;

	for (unsigned i = 0; i < was->options + is->options; i++) {
		unsigned k = i < was->options ? i : i - was->options;
		const char *option;

		if (i >= was->options)
			one = is;
		option = one->option[k].name;
		if (one->option[k].setting.inherited ||
		    (one == is && services_option(was, option) != NULL &&
			!services_option(was, option)->setting.inherited))
			continue;
		snprintf(name, sizeof(name), SERVICES_OPTION "%s", option);
		serialize_differ(x,
		    services_label(label, sizeof(label), is, name),
		    serialize_option_value(was, option, one == is),
		    serialize_option_value(is, option, one == was));
	}
}

/* Compare two services of one name, or the values at the top.  What both
 * inherit is told of at the top. */
static void
serialize_compare_one(struct comparison *x, const struct service_config *was,
    const struct service_config *is)
{
	char before[VALUE_BYTES], after[VALUE_BYTES], label[SERVICES_LABEL];
	bool top = is == &x->is->defaults;

	for (unsigned i = 0; i < directive_count; i++) {
		const struct directive *d = &directives[i];

		if (!top &&
		    (!d->service ||
			(origin_look(x->was, was, d)->inherited &&
			    origin_look(x->is, is, d)->inherited)))
			continue;
		value_format(x->was, was, d, before, sizeof(before));
		value_format(x->is, is, d, after, sizeof(after));
		serialize_differ(x,
		    services_label(label, sizeof(label), is, d->name), before,
		    after);
	}
	serialize_compare_options(x, was, is);
}

/* A service is known again by its name, letter for letter. */
static bool
serialize_has(const struct config *c, const char *name)
{
	const struct service_config *s = services_find(c, name);

	return s != NULL && strcmp(s->name, name) == 0;
}

/* A service in short: "port 7, handler echo". */
static const char *
serialize_service(char *text, size_t size, const struct service_config *s)
{
	snprintf(text, size, "port %u, handler %s", s->port, s->handler);
	return text;
}

unsigned
config_compare(const struct config *was, const struct config *is,
    config_tell *tell)
{
	struct comparison x = { was, is, tell, 0 };
	char name[CONFIG_SERVICE_NAME + 16], text[VALUE_BYTES];

	serialize_compare_one(&x, &was->defaults, &is->defaults);
	for (unsigned i = 0; i < was->services; i++) {
		const struct service_config *s = &was->service[i];

		snprintf(name, sizeof(name), "service %s", s->name);
		if (!serialize_has(is, s->name))
			serialize_differ(&x, name,
			    serialize_service(text, sizeof(text), s), "");
	}
	for (unsigned i = 0; i < is->services; i++) {
		const struct service_config *s = &is->service[i];

		snprintf(name, sizeof(name), "service %s", s->name);
		if (!serialize_has(was, s->name))
			serialize_differ(&x, name, "",
			    serialize_service(text, sizeof(text), s));
		else
			serialize_compare_one(&x, services_find(was, s->name),
			    s);
	}
	return x.n;
}

/* Write a value, and behind it where it comes from. */
static void
serialize_dump_one(const struct config *c, const char *name, const char *text,
    const struct setting *s, FILE *out)
{
	char line[PATH_MAX + 128], shown[PATH_MAX];
	const char *quote;

	/* value_set() refuses a value without possible quotes. */
	quote = text_quotes(text) != NULL ? text_quotes(text) : "";
	snprintf(line, sizeof(line), "%s = %s%s%s", name, quote, text, quote);
	fprintf(out, "%-40s # ", line);
	if (s->origin == ORIGIN_FILE)
		fprintf(out, "%s:%u",
		    text_show(shown, sizeof(shown), config_origin_file(c, s),
			0),
		    s->line);
	else
		fputs(s->origin == ORIGIN_DEFAULT ? "default" : "command line",
		    out);
	if (s->inherited && s->origin != ORIGIN_DEFAULT)
		fputs(", inherited", out);
	if (s->note[0] != '\0')
		fprintf(out, ", %s", s->note);
	fputc('\n', out);
}

/* Write the values of a service, or those at the top. */
static void
serialize_dump_all(const struct config *c, const struct service_config *s,
    FILE *out)
{
	char text[PATH_MAX], name[KEY_BYTES];

	for (unsigned i = 0; i < directive_count; i++) {
		const struct directive *d = &directives[i];

		if (s != &c->defaults && !d->service)
			continue;
		value_format(c, s, d, text, sizeof(text));
		serialize_dump_one(c, d->name, text, origin_look(c, s, d), out);
	}
	for (unsigned i = 0; i < s->options; i++) {
		const struct handler_option *o = &s->option[i];

		snprintf(name, sizeof(name), SERVICES_OPTION "%s", o->name);
		serialize_dump_one(c, name, o->value, &o->setting, out);
	}
}

int
config_dump(const struct config *c, FILE *out)
{
	serialize_dump_all(c, &c->defaults, out);
	for (unsigned i = 0; services_have_sections(c) && i < c->services;
	     i++) {
		fprintf(out, "\n[service %s]\n", c->service[i].name);
		serialize_dump_all(c, &c->service[i], out);
	}
	return fflush(out) == EOF || ferror(out) ? -1 : 0;
}
