/* SPDX-License-Identifier: ISC */
/*
 * Where each value comes from, and which values a mistake in the file leaves
 * in doubt.  struct config stores the names of the included files that a value
 * comes from.
 */
#include "config/origin.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

struct setting *
origin_of(struct config *c, const char *name)
{
	return directive_setting(c, &c->defaults, directive_find(name));
}

const struct setting *
origin_look(const struct config *c, const struct service_config *s,
    const struct directive *d)
{
	return directive_setting((struct config *)(uintptr_t)c,
	    (struct service_config *)(uintptr_t)s, d);
}

const char *
config_note(const struct config *c, const char *name)
{
	return origin_look(c, &c->defaults, directive_find(name))->note;
}

const char *
config_origin_file(const struct config *c, const struct setting *s)
{
	return s->file == 0 ? c->file : c->included + s->file - 1;
}

/* The place of `path` in c->included, counted from 1, where it is added if it
 * is missing; 0 if there is no room. */
static unsigned
origin_keep(struct config *c, const char *path)
{
	size_t need = strlen(path) + 1, at;

	for (at = 0; at < c->included_used; at += strlen(c->included + at) + 1)
		if (strcmp(c->included + at, path) == 0)
			return (unsigned)at + 1;
	if (need > sizeof(c->included) - at)
		return 0;
	memcpy(c->included + at, path, need);
	c->included_used = (unsigned)(at + need);
	return (unsigned)at + 1;
}

/* Take the name that `s` has of `old`, if it has one. */
static void
origin_keep_one(struct config *c, struct setting *s, const char *old)
{
	if (s->file != 0)
		s->file = origin_keep(c, old + s->file - 1);
}

/* Remove the names of files that no value comes from any more. */
static void
origin_sweep(struct config *c)
{
	char *old = malloc(sizeof(c->included));

	if (old == NULL)
		return;
	memcpy(old, c->included, sizeof(c->included));
	c->included_used = 0;
	for (unsigned i = 0; i < CONFIG_DIRECTIVES_MAX; i++)
		origin_keep_one(c, &c->origin[i], old);
	for (unsigned k = 0; k <= c->services; k++) {
		struct service_config *s = k < c->services ? &c->service[k]
							   : &c->defaults;

		origin_keep_one(c, &s->section, old);
		for (unsigned i = 0; i < CONFIG_SERVICE_DIRECTIVES_MAX; i++)
			origin_keep_one(c, &s->origin[i], old);
		for (unsigned i = 0; i < s->options; i++)
			origin_keep_one(c, &s->option[i].setting, old);
	}
	free(old);
}

int
origin_set_file(struct config *c, struct setting *s, const char *path)
{
	s->file = 0;
	if (strcmp(path, c->file) == 0)
		return 0;
	s->file = origin_keep(c, path);
	if (s->file == 0) {
		origin_sweep(c);
		s->file = origin_keep(c, path);
	}
	return s->file == 0 ? -1 : 0;
}

/* The directive that a line with a mistake sets or may have meant, or NULL. */
static const struct directive *
origin_suspect(const char *line, enum doubt *doubt)
{
	char name[DIRECTIVE_NAME_BYTES];
	const struct directive *d;
	const char *nearest;
	size_t n;

	line += strspn(line, " \t");
	n = strcspn(line, " \t=\r\n");
	if (n == 0 || n >= sizeof(name))
		return NULL;
	memcpy(name, line, n);
	name[n] = '\0';
	*doubt = DOUBT_SURE;
	d = directive_find(name);
	if (d != NULL)
		return d;
	*doubt = DOUBT_MAYBE;
	nearest = directive_nearest(name, false);
	return nearest == NULL ? NULL : directive_find(nearest);
}

int
origin_forgive(struct config *c, struct service_config *s, const char *line,
    const struct config_error *e)
{
	enum doubt doubt = DOUBT_SURE;
	const struct directive *d = NULL;
	bool all = line == NULL, section;

	if (!c->forgiving)
		return -1;
	if (line != NULL)
		d = origin_suspect(line, &doubt);
	/* The file that was not read may set any directive. */
	if (line != NULL && strcmp(line, DIRECTIVE_INCLUDE) == 0) {
		all = true;
		doubt = DOUBT_MAYBE;
	}
	/* A section that was not understood may be any service, and what
	 * follows it belongs to another one. */
	section = line != NULL && line[strspn(line, " \t")] == '[';
	if (section)
		doubt = DOUBT_SURE;
	if (c->mistakes++ == 0)
		strlcpy(c->mistake, e->text, sizeof(c->mistake));
	for (unsigned i = 0; i < directive_count; i++) {
		struct setting *own = directive_setting(c, s, &directives[i]);

		if ((all || d == &directives[i] ||
			(section && directives[i].service)) &&
		    own->doubt < doubt)
			own->doubt = doubt;
	}
	return 0;
}

static bool
origin_is_doubtful(const struct setting *s, enum doubt least)
{
	return s->doubt >= least &&
	    (s->origin == ORIGIN_DEFAULT || s->doubt != DOUBT_MAYBE);
}

int
config_need(const struct config *c, const char *name, enum doubt least,
    struct config_error *e)
{
	const struct directive *d = directive_find(name);
	bool doubtful = origin_is_doubtful(origin_look(c, &c->defaults, d),
	    least);

	for (unsigned i = 0; d->service && i < c->services; i++)
		doubtful |= origin_is_doubtful(origin_look(c, &c->service[i],
						   d),
		    least);
	if (!doubtful)
		return 0;
	strlcpy(e->text, c->mistake, sizeof(e->text));
	return -1;
}
