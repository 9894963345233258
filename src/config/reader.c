/* SPDX-License-Identifier: ISC */
/*
 * Reading redis.conf, and what it includes; the one home of iniparser.
 *
 * iniparser gives no line numbers, takes the last of two duplicates in
 * silence and knows only `name = value`.  So each line that is a directive of
 * ours is handed to it as a section of its own, named by the line's number,
 * with Redis's `name value` spelt as INI: iniparser then rules on quotes,
 * comments and blanks, and the section says which line a value came from.
 *
 * `include` is such a line, too.  The files it names are read when its turn
 * comes, each with a dictionary of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
#include "config/include.h"
#include "config/line.h"
#include "config/scratch.h"
#include "config/text.h"

#define WHERE_BYTES (PATH_MAX + 32)

/* A file that is being read, and the one that includes it. */
struct reading {
	struct config *c;
	struct config_error *e;
	const char *path;
	const struct reading *outer; /* NULL: the file named with -c */
	unsigned line;		     /* of `outer`, which includes this */
	unsigned depth;
	unsigned *files; /* opened for this configuration */
	dev_t device;
	ino_t inode;
	unsigned given[CONFIG_DIRECTIVES_MAX]; /* the line each is in, or 0 */
};

static int reader_read(struct reading *r);

/* "redis.conf:12" for messages. */
static const char *
reader_where(const struct reading *r, unsigned line, char *where)
{
	size_t n;

	/* Room for the number is left. */
	n = strlen(text_show(where, WHERE_BYTES - 12, r->path, 0));
	snprintf(where + n, WHERE_BYTES - n, ":%u", line);
	return where;
}

/* The file itself is no good; who included it is told, too. */
static int
reader_fail(const struct reading *r, const char *reason)
{
	char where[WHERE_BYTES], shown[WHERE_BYTES];

	text_show(shown, sizeof(shown), r->path, 0);
	if (r->outer == NULL)
		return line_fail(r->e, "%s: %s", shown, reason);
	return line_fail(r->e, "%.*s: include: %.*s: %s", PATH_MAX / 2,
	    reader_where(r->outer, r->line, where), PATH_MAX / 2, shown,
	    reason);
}

static void
reader_ignore(struct ignored *ignored, const char *name)
{
	size_t used = strlen(ignored->names);

	ignored->count++;
	if (used + strlen(name) + 2 < sizeof(ignored->names))
		snprintf(ignored->names + used, sizeof(ignored->names) - used,
		    "%s%s", used > 0 ? " " : "", name);
}

/* One line of the file: pass it on to `ini` if it is a directive of ours. */
static int
reader_take_line(const struct reading *r, char *text, unsigned number,
    FILE *ini)
{
	char where[WHERE_BYTES];
	struct line line;

	reader_where(r, number, where);
	if (line_parse(&line, text, where, r->e) == -1)
		return -1;
	if (line.kind == LINE_IGNORED)
		reader_ignore(&r->c->ignored, line.name);
	if (line.kind != LINE_OURS)
		return 0;
	/* With a comment behind it, no value is the end of the line, where a
	 * backslash would continue it. */
	fprintf(ini, "[%u]\n%s = %.*s #\n", number, line.name, (int)line.length,
	    line.value);
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): no deeper than CONFIG_INCLUDE_DEPTH */

/* Read the files that line `line` includes. */
static int
reader_include(const struct reading *r, unsigned line, const char *pattern)
{
	char where[WHERE_BYTES], why[CONFIG_WHY];
	struct reading inner = { .c = r->c,
		.e = r->e,
		.outer = r,
		.line = line,
		.depth = r->depth + 1,
		.files = r->files };
	struct include found;
	int result = 0;

	reader_where(r, line, where);
	if (include_find(&found, r->path, pattern, why, sizeof(why)) == -1)
		return line_fail(r->e, "%s: include: %s", where, why);
	if (found.count > 0 && inner.depth > CONFIG_INCLUDE_DEPTH)
		result = line_fail(r->e,
		    "%s: include: more than %d files "
		    "deep",
		    where, CONFIG_INCLUDE_DEPTH);
	for (size_t i = 0; result == 0 && i < found.count; i++) {
		inner.path = found.path[i];
		memset(inner.given, 0, sizeof(inner.given));
		if (++*r->files > CONFIG_INCLUDE_FILES)
			result = line_fail(r->e,
			    "%s: include: more than %d "
			    "files",
			    where, CONFIG_INCLUDE_FILES);
		else
			result = reader_read(&inner);
		if (result == -1)
			result = config_forgive(r->c, LINE_INCLUDE, r->e);
	}
	include_free(&found);
	return result;
}

static int
reader_value(struct reading *r, const struct directive *d, unsigned line,
    const char *value)
{
	struct setting *setting = &r->c->origin[d - directives];
	unsigned *given = &r->given[d - directives];
	char where[WHERE_BYTES], why[CONFIG_WHY];

	reader_where(r, line, where);
	/* What another file says can be overridden. */
	if (*given != 0)
		return line_fail(r->e, "%s: %s: given twice, first in line %u",
		    where, d->name, *given);
	if (directive_set(r->c, d, value, why, sizeof(why)) == -1)
		return line_fail(r->e, "%s: %s: %s", where, d->name, why);
	if (origin_set_file(r->c, setting, r->path) == -1)
		return line_fail(r->e,
		    "%s: the names of included files are "
		    "longer than %d bytes",
		    where, CONFIG_INCLUDED_BYTES);
	*given = line;
	setting->origin = ORIGIN_FILE;
	setting->line = line;
	return 0;
}

/* The name of the directive in a section, or "". */
static const char *
reader_section_name(const dictionary *ini, const char *section)
{
	const char *keys[1];

	return iniparser_getsecnkeys(ini, section) == 1 &&
		iniparser_getseckeys(ini, section, keys) != NULL &&
		strchr(keys[0], ':') != NULL
	    ? strchr(keys[0], ':') + 1
	    : "";
}

/* Store what iniparser made of the line that was given to it as section
 * `section`. */
static int
reader_take_section(struct reading *r, dictionary *ini, const char *section)
{
	const struct directive *d = NULL;
	const char *name = reader_section_name(ini, section), *value;
	unsigned line = (unsigned)strtoul(section, NULL, 10);
	char where[WHERE_BYTES], key[128];

	snprintf(key, sizeof(key), "%s:%s", section, name);
	value = iniparser_getstring(ini, key, "");
	d = directive_find(name);
	if (strcmp(name, LINE_INCLUDE) == 0)
		return reader_include(r, line, value);
	if (d == NULL)
		return line_fail(r->e, "%s: cannot be read as INI",
		    reader_where(r, line, where));
	return reader_value(r, d, line, value);
}

static int
reader_take_all(struct reading *r, dictionary *ini)
{
	int n = iniparser_getnsec(ini);

	for (int i = 0; i < n; i++) {
		const char *section = iniparser_getsecname(ini, i);

		if (reader_take_section(r, ini, section) == -1 &&
		    config_forgive(r->c, reader_section_name(ini, section),
			r->e) == -1)
			return -1;
	}
	return 0;
}

/* iniparser would print its complaints to standard error. */
static int __attribute__((format(printf, 1, 2)))
reader_no_message(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

/* Have iniparser read the descriptor `fd` from its beginning. */
static dictionary *
reader_load_ini(int fd)
{
	struct scratch scratch;
	dictionary *d;

	iniparser_set_error_callback(reader_no_message);
	if (scratch_make(&scratch, fd) == -1)
		return NULL;
	d = iniparser_load(scratch.path);
	scratch_remove(&scratch);
	return d;
}

static int
reader_take_lines(const struct reading *r, FILE *in, FILE *ini)
{
	char *line = NULL, where[WHERE_BYTES], why[CONFIG_WHY];
	size_t size = 0;
	ssize_t got;
	unsigned number = 0;
	int result = 0;

	while (result == 0 && (got = getline(&line, &size, in)) != -1) {
		char *text = line;
		size_t len = (size_t)got;

		if (++number == 1 &&
		    text_mark(&text, &len, why, sizeof(why)) == -1) {
			result = reader_fail(r, why);
			break;
		}
		if (strlen(text) != len)
			result = line_fail(r->e, "%s: NUL byte, \\x00",
			    reader_where(r, number, where));
		if (result == 0)
			result = reader_take_line(r, text, number, ini);
		if (result == -1)
			result = config_forgive(r->c, text, r->e);
	}
	if (result == 0 && ferror(in))
		result = reader_fail(r, strerror(errno));
	free(line);
	return result;
}

/* The file's lines of ours as iniparser has them; NULL with the reason
 * stored. */
static dictionary *
reader_load(const struct reading *r, FILE *in)
{
	dictionary *d = NULL;
	FILE *ini = NULL;
	int fd = memfd_create("echod-config", MFD_CLOEXEC);
	char why[128];

	if (fd == -1 || (ini = fdopen(fd, "w")) == NULL) {
		snprintf(why, sizeof(why), "no memory to read it: %s",
		    strerror(errno));
		reader_fail(r, why);
		if (fd != -1)
			close(fd);
		return NULL;
	}
	if (reader_take_lines(r, in, ini) == 0) {
		if (fflush(ini) == 0)
			d = reader_load_ini(fd);
		if (d == NULL)
			reader_fail(r,
			    access("/proc/self/fd", X_OK) == -1
				? "cannot be read: /proc is not mounted, and no "
				  "file can be made in /tmp"
				: "cannot be read as INI");
	}
	fclose(ini);
	return d;
}

/* True if the open file is `r` or one of those that include it. */
static bool
reader_is_open(const struct reading *r, const struct stat *st)
{
	for (; r != NULL; r = r->outer)
		if (r->device == st->st_dev && r->inode == st->st_ino)
			return true;
	return false;
}

/* What is wrong with the open file, or NULL.  Only who named a FIFO on the
 * command line knows that it has an end. */
static const char *
reader_objection(struct reading *r, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return strerror(EISDIR);
	if (r->outer != NULL && !S_ISREG(st.st_mode))
		return "not a regular file";
	if (reader_is_open(r->outer, &st))
		return "includes go round in a circle";
	r->device = st.st_dev;
	r->inode = st.st_ino;
	return NULL;
}

static int
reader_read(struct reading *r)
{
	/* An open(2) for reading waits for the writer of a FIFO. */
	int fd = open(r->path,
	    O_RDONLY | O_CLOEXEC |
		(r->outer != NULL ? O_NONBLOCK | O_NOCTTY : 0));
	FILE *in = fd == -1 ? NULL : fdopen(fd, "r");
	const char *why = in == NULL ? strerror(errno)
				     : reader_objection(r, fd);
	dictionary *d = NULL;
	int result = -1;

	if (why != NULL)
		reader_fail(r, why);
	else
		d = reader_load(r, in);
	if (in != NULL)
		fclose(in);
	else if (fd != -1)
		close(fd);
	if (d != NULL) {
		result = reader_take_all(r, d);
		iniparser_freedict(d);
	}
	return result;
}

/* NOLINTEND(misc-no-recursion) */

int
config_read_file(struct config *c, const char *path, struct config_error *e)
{
	unsigned files = 0;
	struct reading r = { .c = c, .e = e, .path = path, .files = &files };

	int result;

	if (strlcpy(c->file, path, sizeof(c->file)) >= sizeof(c->file))
		result = line_fail(e, "%.64s...: %s", path,
		    strerror(ENAMETOOLONG));
	else
		result = reader_read(&r);
	if (result == -1 && c->forgiving)
		c->file[0] = '\0';
	return result == 0 ? 0 : config_forgive(c, NULL, e);
}
