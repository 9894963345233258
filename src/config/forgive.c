/* SPDX-License-Identifier: ISC */
/*
 * Mistakes in a configuration that do not matter to one who only asks: which
 * directives they leave in doubt.
 */
#include <string.h>

#include <bsd/string.h>

#include "config/directive.h"
#include "config/line.h"

/* The directive that a line with a mistake was about, or may have been. */
static const struct directive *
forgive_suspect(const char *line, enum doubt *doubt)
{
	char name[LINE_NAME_BYTES];
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
config_forgive(struct config *c, const char *line, const struct config_error *e)
{
	enum doubt doubt = DOUBT_SURE;
	const struct directive *d = NULL;
	bool all = line == NULL;

	if (!c->forgiving)
		return -1;
	if (line != NULL)
		d = forgive_suspect(line, &doubt);
	/* Another file may have what this one has not. */
	if (line != NULL && strcmp(line, LINE_INCLUDE) == 0) {
		all = true;
		doubt = DOUBT_MAYBE;
	}
	if (c->mistakes++ == 0)
		strlcpy(c->mistake, e->text, sizeof(c->mistake));
	for (unsigned i = 0; i < directive_count; i++)
		if ((all || d == &directives[i]) && c->origin[i].doubt < doubt)
			c->origin[i].doubt = doubt;
	return 0;
}

int
config_need(const struct config *c, const char *name, enum doubt least,
    struct config_error *e)
{
	const struct setting *s = &c->origin[directive_find(name) - directives];

	if (s->doubt < least ||
	    (s->origin != ORIGIN_DEFAULT && s->doubt == DOUBT_MAYBE))
		return 0;
	strlcpy(e->text, c->mistake, sizeof(e->text));
	return -1;
}
