/* SPDX-License-Identifier: ISC */
/*
 * Parsing one line of a configuration, or one -o.
 */
#include "config/line.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <bsd/string.h>

#include "config/services.h"
#include "config/text.h"

int
line_fail(struct config_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

/* What the name may have been meant for: ours, in a section those that services
 * have, or Redis's. */
static const char *
line_nearest(const char *name, bool section, bool redis)
{
	const char *nearest = directive_nearest(name, redis && !section);

	if (directive_is_option(name))
		return SERVICES_OPTION "NAME";
	if (nearest == NULL || !section)
		return nearest;
	return directive_find(nearest)->service ? nearest : NULL;
}

static int
line_unknown(struct config_error *e, const char *where, const char *name,
    bool section, bool redis)
{
	const char *nearest = line_nearest(name, section, redis);
	char shown[TEXT_SHOWN], why[CONFIG_WHY] = "";
	bool clean = text_check(name, strlen(name), 0, why, sizeof(why)) == 0;

	/* A letter of another script can look like an ASCII letter. */
	text_show(shown, sizeof(shown), name, TEXT_ASCII);
	return line_fail(e, "%s: unknown directive \"%s\"%s%s%s%s%s", where,
	    shown, clean ? "" : ": ", clean ? "" : why,
	    nearest != NULL ? "; did you mean \"" : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

/*
 * Split "name = value" or "name value".  Returns the value, and copies the name
 * to `name`; NULL if the line is neither.
 */
static char *
line_split(char *line, char *name, bool *equals)
{
	size_t n = strcspn(line, " \t=");
	char *value = line + n;

	if (n == 0 || n >= DIRECTIVE_NAME_BYTES + sizeof(SERVICES_OPTION) - 1)
		return NULL;
	memcpy(name, line, n);
	name[n] = '\0';
	value += strspn(value, " \t");
	*equals = *value == '=';
	if (*equals)
		value++;
	value += strspn(value, " \t");
	return value;
}

/* Remove the line end and the blanks around the text, in place. */
static char *
line_trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	if (len > 0 && s[len - 1] == '\n')
		len--;
	if (len > 0 && s[len - 1] == '\r')
		len--;
	while (len > 0 && strchr(" \t", s[len - 1]) != NULL)
		len--;
	s[len] = '\0';
	return s;
}

static bool
line_is_empty(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return *s == '\0' || *s == '#' || *s == ';';
}

/* The end of a value in quotes, or NULL with a reason in `why`. */
static const char *
line_quoted_end(const char *value, char *why, size_t size)
{
	const char *end = strchr(value + 1, *value), *rest;
	char shown[TEXT_SHOWN];

	if (end == NULL) {
		strlcpy(why, "quote is not closed", size);
		return NULL;
	}
	/* A backslash is an escape in Redis and in iniparser 4.2.  In 4.1 it
	 * is not. */
	if (memchr(value, '\\', (size_t)(end - value)) != NULL) {
		strlcpy(why, "backslash in quotes; there are no escapes", size);
		return NULL;
	}
	end++;
	rest = end + strspn(end, " \t");
	if (*rest != '\0' && *rest != '#' && *rest != ';') {
		snprintf(why, size, "text after the closing quote: %s",
		    text_show(shown, sizeof(shown), rest, TEXT_ASCII));
		return NULL;
	}
	return end;
}

/* Find the end of the value, and refuse what iniparser would silently read as
 * something else.  Returns 0, or -1 with a reason in `why`. */
static int
line_measure(struct line *line, char *why, size_t size)
{
	const char *value = line->value, *end;
	size_t len = strlen(value);

	if (len > 0 && value[len - 1] == '\\') {
		strlcpy(why,
		    "line ends in a backslash; lines are not continued", size);
		return -1;
	}
	if (*value == '"' || *value == '\'')
		end = line_quoted_end(value, why, size);
	else {
		end = value + strcspn(value, "#;");
		while (end > value && strchr(" \t", end[-1]) != NULL)
			end--;
	}
	if (end == NULL)
		return -1;
	line->length = (size_t)(end - value);
	/* Two more bytes for the quotes. */
	if (line->length >= CONFIG_VALUE_BYTES + 2) {
		strlcpy(why, "line is too long", size);
		return -1;
	}
	/* A value in quotes is checked when it is converted.  Of other values
	 * iniparser removes the ends, so these are checked here. */
	return *value == '"' || *value == '\''
	    ? 0
	    : text_check(value, line->length, TEXT_TABS, why, size);
}

/* Redis's `user NAME RULE...` is an access rule, not our `user`. */
static bool
line_is_acl(const struct directive *d, const char *value)
{
	const char *second = value + strcspn(value, " \t");

	second += strspn(second, " \t");
	return strcmp(d->name, "user") == 0 && strchr("\"'", *value) == NULL &&
	    strchr("#;", *second) == NULL;
}

/* True if `name` is handler.NAME; then `name` becomes NAME. */
static bool
line_take_option(char *name)
{
	size_t n = sizeof(SERVICES_OPTION) - 1;

	if (strncasecmp(name, SERVICES_OPTION, n) != 0)
		return false;
	memmove(name, name + n, strlen(name + n) + 1);
	return true;
}

/* Parse "[service NAME]". */
static int
line_parse_section(struct line *line, char *text, const char *where,
    struct config_error *e)
{
	static const char word[] = "service";
	char *end = strchr(text, ']'), *name = text + 1, *rest;
	char shown[TEXT_SHOWN], why[CONFIG_WHY];

	text_show(shown, 80, text, TEXT_ASCII);
	if (end == NULL)
		return line_fail(e, "%s: section has no ]: %s", where, shown);
	rest = end + 1 + strspn(end + 1, " \t");
	if (*rest != '\0' && *rest != '#' && *rest != ';')
		return line_fail(e, "%s: text after the section: %s", where,
		    shown);
	*end = '\0';
	name = line_trim(name);
	if (strncasecmp(name, word, sizeof(word) - 1) != 0 ||
	    strchr(" \t", name[sizeof(word) - 1]) == NULL)
		return line_fail(e,
		    "%s: unknown section %s; sections are [service NAME]",
		    where, shown);
	name = line_trim(name + sizeof(word) - 1);
	if (*name == '\0')
		return line_fail(e,
		    "%s: %s has no name; sections are [service NAME]", where,
		    shown);
	if (services_check_name(name, why, sizeof(why)) == -1)
		return line_fail(e, "%s: section: %s", where, why);
	line->kind = LINE_SECTION;
	strlcpy(line->name, name, sizeof(line->name));
	return 0;
}

/* Decide which directive a line is.  Returns 0, or -1 with an error. */
static int
line_identify(struct line *line, bool section, bool equals, const char *where,
    struct config_error *e)
{
	const struct directive *d = directive_find(line->name);
	bool include = strcasecmp(line->name, DIRECTIVE_INCLUDE) == 0;
	char why[CONFIG_WHY];

	line->kind = LINE_OPTION;
	if (line_take_option(line->name))
		return services_check_option(line->name, why, sizeof(why)) == 0
		    ? 0
		    : line_fail(e, "%s: " SERVICES_OPTION ": %s", where, why);
	line->kind = LINE_IGNORED;
	if (d == NULL
		? !include && !section && directive_known_to_redis(line->name)
		: !equals && !section && line_is_acl(d, line->value))
		return 0;
	if (d == NULL && !include)
		return line_unknown(e, where, line->name, section, true);
	if (d != NULL && section && !d->service)
		return line_fail(e,
		    "%s: %s: all services have it in common; it stands before "
		    "the sections",
		    where, d->name);
	line->kind = LINE_OURS;
	strlcpy(line->name, include ? DIRECTIVE_INCLUDE : d->name,
	    sizeof(line->name));
	return 0;
}

int
line_parse(struct line *line, char *text, bool section, const char *where,
    struct config_error *e)
{
	char why[CONFIG_WHY], shown[TEXT_SHOWN];
	bool equals;

	line->kind = LINE_EMPTY;
	if (line_is_empty(text))
		return 0;
	text = line_trim(text);
	if (*text == '[')
		return line_parse_section(line, text, where, e);
	text_show(shown, 80, text, TEXT_ASCII);
	line->value = line_split(text, line->name, &equals);
	if (line->value == NULL)
		return line_fail(e,
		    "%s: expected \"name = value\" or \"name value\": %s",
		    where, shown);
	if (line_identify(line, section, equals, where, e) == -1)
		return -1;
	if (line->kind != LINE_IGNORED &&
	    line_measure(line, why, sizeof(why)) == -1)
		return line_fail(e, "%s: %s%s: %s", where,
		    line->kind == LINE_OPTION ? SERVICES_OPTION : "",
		    line->name, why);
	return 0;
}

/* The service that "service.SERVICE.NAME" means, or NULL; `name` becomes NAME.
 * A service's name may have dots in it: the longest that fits is meant. */
static const struct service_config *
line_take_service(const struct config *c, char *name)
{
	const struct service_config *found = NULL;
	size_t most = 0;

	name += sizeof(LINE_SERVICE) - 1;
	for (unsigned i = 0; i < c->services; i++) {
		size_t n = strlen(c->service[i].name);

		if (n > most && strncasecmp(name, c->service[i].name, n) == 0 &&
		    name[n] == '.') {
			found = &c->service[i];
			most = n;
		}
	}
	return found;
}

int
line_parse_override(struct line_override *o, const struct config *c,
    const char *assignment, struct config_error *e)
{
	char line[CONFIG_VALUE_BYTES], shown[TEXT_SHOWN], why[CONFIG_WHY];
	char where[DIRECTIVE_NAME_BYTES + 8] = "-o";
	bool equals;
	const char *text;
	size_t n;

	text_show(shown, 80, assignment, TEXT_ASCII);
	if (strlcpy(line, assignment, sizeof(line)) >= sizeof(line))
		return line_fail(e, "-o %s: too long", shown);
	n = strcspn(line, "=");
	if (line[n] == '\0')
		return line_fail(e, "-o %s: expected name=value", shown);
	o->service = NULL;
	text = line;
	if (strncasecmp(line, LINE_SERVICE, sizeof(LINE_SERVICE) - 1) == 0) {
		o->service = line_take_service(c, line);
		if (o->service == NULL)
			return line_fail(e,
			    "-o %s: no section [service NAME] has this name",
			    shown);
		snprintf(where, sizeof(where), "-o " LINE_SERVICE "%s",
		    o->service->name);
		text += sizeof(LINE_SERVICE) + strlen(o->service->name);
	}
	text = line_split(&line[text - line], o->name, &equals);
	if (text == NULL)
		return line_fail(e, "-o %s: expected name=value", shown);
	strlcpy(o->value, text, sizeof(o->value));
	o->directive = NULL;
	if (line_take_option(o->name))
		return services_check_option(o->name, why, sizeof(why)) == 0
		    ? 0
		    : line_fail(e, "%s: " SERVICES_OPTION ": %s", where, why);
	if (strcasecmp(o->name, DIRECTIVE_INCLUDE) == 0)
		return line_fail(e,
		    "-o include: only a file includes others; use -c");
	o->directive = directive_find(o->name);
	if (o->directive == NULL)
		return line_unknown(e, where, o->name, o->service != NULL,
		    false);
	if (o->service != NULL && !o->directive->service)
		return line_fail(e, "%s: %s: all services have it in common",
		    where, o->directive->name);
	return 0;
}
