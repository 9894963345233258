/* SPDX-License-Identifier: ISC */
/*
 * A configuration as text: for people (-T), for the next program, and to find
 * what differs between two of them.
 *
 * For the next program each directive has two items: "set.NAME" with its value
 * and "from.NAME" with origin, line and note.  If the value comes from an
 * included file, the item "in.NAME" between them names the file.
 */
#include "config/serialize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "config/origin.h"
#include "config/text.h"
#include "config/value.h"

#define VALUE_BYTES (PATH_MAX + 1024)

void
config_save(const struct config *c, config_put *put, void *to)
{
	char key[80], value[VALUE_BYTES];

	put(to, "file", c->file);
	snprintf(value, sizeof(value), "%u %s", c->ignored.count,
	    c->ignored.names);
	put(to, "ignored", value);
	for (unsigned i = 0; i < directive_count; i++) {
		const struct setting *s = origin_look(c, &c->defaults,
		    &directives[i]);

		snprintf(key, sizeof(key), "set.%s", directives[i].name);
		value_format(c, &c->defaults, &directives[i], value,
		    sizeof(value));
		put(to, key, value);
		if (s->origin == ORIGIN_FILE && s->file != 0) {
			snprintf(key, sizeof(key), "in.%s", directives[i].name);
			put(to, key, config_origin_file(c, s));
		}
		snprintf(key, sizeof(key), "from.%s", directives[i].name);
		snprintf(value, sizeof(value), "%u %u %s", (unsigned)s->origin,
		    s->line, s->note);
		put(to, key, value);
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
	    origin > ORIGIN_COMMAND_LINE || value[note] != ' ')
		return -1;
	s->origin = origin;
	s->line = line;
	strlcpy(s->note, value + note + 1, sizeof(s->note));
	return 0;
}

int
config_restore(struct config *c, const char *key, const char *value)
{
	const struct directive *d;
	const char *name = strchr(key, '.');
	struct setting *s;
	char why[256];

	if (strcmp(key, "file") == 0)
		return strlcpy(c->file, value, sizeof(c->file)) <
			sizeof(c->file)
		    ? 0
		    : -1;
	if (strcmp(key, "ignored") == 0)
		return serialize_restore_ignored(&c->ignored, value);
	if (name == NULL || (d = directive_find(name + 1)) == NULL)
		return 1;
	s = directive_setting(c, &c->defaults, d);
	if (strncmp(key, "from.", 5) == 0)
		return serialize_restore_origin(s, value);
	if (strncmp(key, "in.", 3) == 0)
		return origin_set_file(c, s, value);
	if (strncmp(key, "set.", 4) != 0)
		return 1;
	return value_set(c, &c->defaults, d, value, why, sizeof(why));
}

unsigned
config_compare(const struct config *was, const struct config *is,
    config_tell *tell)
{
	char before[VALUE_BYTES], after[VALUE_BYTES];
	unsigned n = 0;

	for (unsigned i = 0; i < directive_count; i++) {
		value_format(was, &was->defaults, &directives[i], before,
		    sizeof(before));
		value_format(is, &is->defaults, &directives[i], after,
		    sizeof(after));
		if (strcmp(before, after) == 0)
			continue;
		tell(directives[i].name, before, after);
		n++;
	}
	return n;
}

static void
serialize_dump_one(const struct config *c, const struct directive *d,
    const struct setting *s, FILE *out)
{
	char text[PATH_MAX], line[PATH_MAX + 128], shown[PATH_MAX];
	const char *quote;

	value_format(c, &c->defaults, d, text, sizeof(text));
	/* value_set() refuses a value without possible quotes. */
	quote = text_quotes(text) != NULL ? text_quotes(text) : "";
	snprintf(line, sizeof(line), "%s = %s%s%s", d->name, quote, text,
	    quote);
	fprintf(out, "%-40s # ", line);
	if (s->origin == ORIGIN_FILE)
		fprintf(out, "%s:%u",
		    text_show(shown, sizeof(shown), config_origin_file(c, s),
			0),
		    s->line);
	else
		fputs(s->origin == ORIGIN_DEFAULT ? "default" : "command line",
		    out);
	if (s->note[0] != '\0')
		fprintf(out, ", %s", s->note);
	fputc('\n', out);
}

int
config_dump(const struct config *c, FILE *out)
{
	for (unsigned i = 0; i < directive_count; i++)
		serialize_dump_one(c, &directives[i],
		    origin_look(c, &c->defaults, &directives[i]), out);
	return fflush(out) == EOF || ferror(out) ? -1 : 0;
}
