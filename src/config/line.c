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

#include "config/directive.h"
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

static int
line_unknown(struct config_error *e, const char *where, const char *name,
    bool redis)
{
	const char *nearest = directive_nearest(name, redis);
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

	if (n == 0 || n >= LINE_NAME_BYTES)
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

int
line_parse(struct line *line, char *text, const char *where,
    struct config_error *e)
{
	const struct directive *d;
	char why[CONFIG_WHY], shown[TEXT_SHOWN];
	bool equals, include;

	line->kind = LINE_EMPTY;
	if (line_is_empty(text))
		return 0;
	text = line_trim(text);
	text_show(shown, 80, text, TEXT_ASCII);
	if (*text == '[')
		return line_fail(e, "%s: sections are not used here: %s", where,
		    shown);
	line->value = line_split(text, line->name, &equals);
	if (line->value == NULL)
		return line_fail(e,
		    "%s: expected \"name = value\" or \"name value\": %s",
		    where, shown);
	d = directive_find(line->name);
	include = strcasecmp(line->name, LINE_INCLUDE) == 0;
	line->kind = LINE_IGNORED;
	if (d == NULL ? !include && directive_known_to_redis(line->name)
		      : !equals && line_is_acl(d, line->value))
		return 0;
	if (d == NULL && !include)
		return line_unknown(e, where, line->name, true);
	line->kind = LINE_OURS;
	strlcpy(line->name, include ? LINE_INCLUDE : d->name,
	    sizeof(line->name));
	if (line_measure(line, why, sizeof(why)) == -1)
		return line_fail(e, "%s: %s: %s", where, line->name, why);
	return 0;
}

int
line_parse_override(const char *assignment, char *name, char *value,
    struct config_error *e)
{
	char line[CONFIG_VALUE_BYTES], shown[TEXT_SHOWN];
	bool equals;
	const char *text;

	text_show(shown, 80, assignment, TEXT_ASCII);
	if (strlcpy(line, assignment, sizeof(line)) >= sizeof(line))
		return line_fail(e, "-o %s: too long", shown);
	if (strchr(line, '=') == NULL ||
	    (text = line_split(line, name, &equals)) == NULL)
		return line_fail(e, "-o %s: expected name=value", shown);
	if (strcasecmp(name, LINE_INCLUDE) == 0)
		return line_fail(e,
		    "-o include: only a file includes others; use -c");
	if (directive_find(name) == NULL)
		return line_unknown(e, "-o", name, false);
	strlcpy(value, text, CONFIG_VALUE_BYTES);
	return 0;
}
