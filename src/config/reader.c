/*
 * Reading redis.conf; the one home of iniparser.
 *
 * iniparser gives no line numbers, takes the last of two duplicates in
 * silence and knows only `name = value`.  So each line that is a directive of
 * ours is handed to it as a section of its own, named by the line's number,
 * with Redis's `name value` spelt as INI: iniparser then rules on quotes,
 * comments and blanks, and the section says which line a value came from.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>
#ifdef HAVE_INIPARSER_INIPARSER_H
#include <iniparser/iniparser.h>
#else
#include <iniparser.h>
#endif

#include "config/directive.h"

#define NAME_BYTES 64
/* iniparser 4.1 reads lines of up to 1024 bytes (ASCIILINESZ). */
#define LINE_BYTES 960

static int
fail(struct config_error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
fail(struct config_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

static int
unknown(struct config_error *e, const char *where, const char *name,
    bool redis)
{
	const char *nearest = directive_nearest(name, redis);

	if (nearest != NULL)
		return fail(e, "%s: unknown directive \"%s\"; did you mean "
		    "\"%s\"?", where, name, nearest);
	return fail(e, "%s: unknown directive \"%s\"", where, name);
}

static void
ignore(struct ignored *ignored, const char *name)
{
	size_t used = strlen(ignored->names);

	ignored->count++;
	if (used + strlen(name) + 2 < sizeof(ignored->names))
		snprintf(ignored->names + used,
		    sizeof(ignored->names) - used, "%s%s",
		    used > 0 ? " " : "", name);
}

static char *
trim(char *s)
{
	char *end = s + strlen(s);

	while (isspace((unsigned char)*s))
		s++;
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

/*
 * Split "name = value" or "name value" in place.  Returns the value, and the
 * name in `name`; NULL with a reason if the line is neither.
 */
static char *
split(char *line, char *name, bool *equals, const char **reason)
{
	size_t n = strcspn(line, " \t=");
	char *value = line + n;

	if (n == 0 || n >= NAME_BYTES) {
		*reason = "expected \"name = value\" or \"name value\"";
		return NULL;
	}
	memcpy(name, line, n);
	name[n] = '\0';
	value += strspn(value, " \t");
	*equals = *value == '=';
	if (*equals)
		value++;
	value += strspn(value, " \t");
	return value;
}

/* What iniparser would accept in silence and read as something else. */
static const char *
objection(const char *value)
{
	size_t len = strlen(value);

	if (len >= LINE_BYTES)
		return "line is too long";
	if (len > 0 && value[len - 1] == '\\')
		return "line ends in a backslash; lines are not continued";
	if (*value == '"' || *value == '\'') {
		const char *end = strchr(value + 1, *value);

		if (end == NULL)
			return "quote is not closed";
		end += 1 + strspn(end + 1, " \t");
		if (*end != '\0' && *end != '#' && *end != ';')
			return "text after the closing quote";
	}
	return NULL;
}

/* Redis's own `user NAME RULE...` is an access rule, not our user. */
static bool
is_acl(const struct directive *d, const char *value)
{
	const char *second = value + strcspn(value, " \t");

	second += strspn(second, " \t");
	return strcmp(d->name, "user") == 0 && strchr("\"'", *value) == NULL &&
	    strchr("#;", *second) == NULL;
}

/* One line of the file: pass it on to `ini` if it is a directive of ours. */
static int
take_line(struct config *c, char *line, unsigned number, FILE *ini,
    struct config_error *e)
{
	char name[NAME_BYTES], where[PATH_MAX + 16];
	const struct directive *d;
	const char *reason = NULL;
	char *value;
	bool equals;

	snprintf(where, sizeof(where), "%s:%u", c->file, number);
	line = trim(line);
	if (*line == '\0' || *line == '#' || *line == ';')
		return 0;
	if (*line == '[')
		return fail(e, "%s: sections are not used here: %.64s", where,
		    line);
	value = split(line, name, &equals, &reason);
	if (value == NULL)
		return fail(e, "%s: %s: %.64s", where, reason, line);
	d = directive_find(name);
	if (d == NULL ? directive_known_to_redis(name) :
	    !equals && is_acl(d, value)) {
		ignore(&c->ignored, name);
		return 0;
	}
	if (d == NULL)
		return unknown(e, where, name, true);
	reason = objection(value);
	if (reason != NULL)
		return fail(e, "%s: %s: %s", where, d->name, reason);
	fprintf(ini, "[%u]\n%s = %s\n", number, d->name, value);
	return 0;
}

/* Store what iniparser made of the line that was given to it as section
 * `section`. */
static int
take_section(struct config *c, dictionary *ini, const char *section,
    struct config_error *e)
{
	const struct directive *d = NULL;
	const char *keys[1], *colon;
	struct setting *setting;
	char why[256];
	unsigned line = (unsigned)strtoul(section, NULL, 10);

	if (iniparser_getsecnkeys(ini, section) == 1 &&
	    iniparser_getseckeys(ini, section, keys) != NULL &&
	    (colon = strchr(keys[0], ':')) != NULL)
		d = directive_find(colon + 1);
	if (d == NULL)
		return fail(e, "%s:%s: cannot be read as INI", c->file,
		    section);
	setting = &c->origin[d - directives];
	if (setting->origin == ORIGIN_FILE)
		return fail(e, "%s:%u: %s: given twice, first in line %u",
		    c->file, line, d->name, setting->line);
	if (directive_set(c, d, iniparser_getstring(ini, keys[0], ""), why,
	    sizeof(why)) == -1)
		return fail(e, "%s:%u: %s: %s", c->file, line, d->name, why);
	setting->origin = ORIGIN_FILE;
	setting->line = line;
	return 0;
}

static int
take_all(struct config *c, dictionary *ini, struct config_error *e)
{
	int n = iniparser_getnsec(ini);

	for (int i = 0; i < n; i++)
		if (take_section(c, ini, iniparser_getsecname(ini, i), e) == -1)
			return -1;
	return 0;
}

/* iniparser would print its complaints to standard error. */
static int
__attribute__((format(printf, 1, 2)))
no_message(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

/* Have iniparser read the descriptor `fd` from its beginning. */
static dictionary *
load_ini(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	iniparser_set_error_callback(no_message);
	return iniparser_load(path);
}

static int
take_lines(struct config *c, FILE *in, FILE *ini, struct config_error *e)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	unsigned number = 0;
	int result = 0;

	while (result == 0 && (len = getline(&line, &size, in)) != -1) {
		number++;
		if (strlen(line) != (size_t)len)
			result = fail(e, "%s:%u: NUL byte", c->file, number);
		else
			result = take_line(c, line, number, ini, e);
	}
	if (result == 0 && ferror(in))
		result = fail(e, "%s: %s", c->file, strerror(errno));
	free(line);
	return result;
}

static int
read_through(struct config *c, FILE *in, FILE *ini, struct config_error *e)
{
	dictionary *d;
	int result;

	if (take_lines(c, in, ini, e) == -1)
		return -1;
	if (fflush(ini) == EOF)
		return fail(e, "%s: no memory to read it: %s", c->file,
		    strerror(errno));
	d = load_ini(fileno(ini));
	if (d == NULL)
		return fail(e, "%s: cannot be read as INI", c->file);
	result = take_all(c, d, e);
	iniparser_freedict(d);
	return result;
}

int
config_read_file(struct config *c, const char *path, struct config_error *e)
{
	FILE *in, *ini = NULL;
	struct stat st;
	int fd, result;

	if (strlcpy(c->file, path, sizeof(c->file)) >= sizeof(c->file))
		return fail(e, "%.64s...: %s", path, strerror(ENAMETOOLONG));
	in = fopen(path, "re");
	if (in == NULL)
		return fail(e, "%s: %s", path, strerror(errno));
	if (fstat(fileno(in), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(in);
		return fail(e, "%s: %s", path, strerror(EISDIR));
	}
	fd = memfd_create("echod-config", MFD_CLOEXEC);
	if (fd == -1 || (ini = fdopen(fd, "w")) == NULL) {
		result = fail(e, "%s: no memory to read it: %s", path,
		    strerror(errno));
		if (fd != -1)
			close(fd);
	} else {
		result = read_through(c, in, ini, e);
		fclose(ini);
	}
	fclose(in);
	return result;
}

int
config_override(struct config *c, const char *assignment,
    struct config_error *e)
{
	char line[LINE_BYTES], name[NAME_BYTES], why[256];
	const struct directive *d;
	const char *reason;
	char *value;
	bool equals;

	if (strlcpy(line, assignment, sizeof(line)) >= sizeof(line))
		return fail(e, "-o %.32s...: too long", assignment);
	if (strchr(line, '=') == NULL ||
	    (value = split(line, name, &equals, &reason)) == NULL)
		return fail(e, "-o %s: expected name=value", assignment);
	d = directive_find(name);
	if (d == NULL)
		return unknown(e, "-o", name, false);
	if (directive_set(c, d, value, why, sizeof(why)) == -1)
		return fail(e, "-o %s: %s", d->name, why);
	c->origin[d - directives].origin = ORIGIN_COMMAND_LINE;
	return 0;
}
