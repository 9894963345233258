/* SPDX-License-Identifier: ISC */
/*
 * Where values come from: the names of included files, of which struct config
 * holds those that a value is from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/directive.h"

const char *
config_origin_file(const struct config *c, const struct setting *s)
{
	return s->file == 0 ? c->file : c->included + s->file - 1;
}

/* Where `path` is in c->included, counted from 1; 0 if there is no room. */
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

/* Forget the names of files whose values others have overridden. */
static void
origin_sweep(struct config *c)
{
	char *old = malloc(sizeof(c->included));

	if (old == NULL)
		return;
	memcpy(old, c->included, sizeof(c->included));
	c->included_used = 0;
	for (unsigned i = 0; i < directive_count; i++) {
		struct setting *s = &c->origin[i];

		if (s->file != 0)
			s->file = origin_keep(c, old + s->file - 1);
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
