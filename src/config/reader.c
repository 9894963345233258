/* SPDX-License-Identifier: ISC */
/*
 * Reading redis.conf, the files that it includes, and -o; the only user of
 * iniparser.
 *
 * iniparser gives no line numbers, keeps the last of two duplicates silently
 * and knows only `name = value`.  So each file is translated first: a directive
 * of ours becomes `LINE = value`, every other line is left out, and all of them
 * are one text, which iniparser parses at once.  iniparser then decides about
 * quotes, comments and blanks, and the key says which line a value is from.
 *
 * `include` is translated like a directive.  The files that it names are read
 * when its turn comes, each with a dictionary of its own.
 */
#include "config/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>
#ifdef HAVE_INIPARSER_INIPARSER_H
#include <iniparser/iniparser.h>
#else
#include <iniparser.h>
#endif

#include "config/include.h"
#include "config/line.h"
#include "config/origin.h"
#include "config/text.h"
#include "config/value.h"

#define WHERE_BYTES (PATH_MAX + 32)
#define ITEMS_MAX (CONFIG_DIRECTIVES_MAX + CONFIG_INCLUDE_FILES)

/* A line that is passed to iniparser. */
struct item {
	const struct directive *directive; /* NULL: an include */
	unsigned line;
};

/* A file while it is read. */
struct reading {
	struct config *c;
	struct config_error *e;
	const char *path;
	const struct reading *outer; /* includes this file; NULL for -c */
	unsigned line;		     /* of `outer`, which includes this file */
	unsigned depth;
	unsigned *files; /* opened for this configuration */
	dev_t device;
	ino_t inode;
	struct item item[ITEMS_MAX]; /* in the order of the file */
	unsigned items;
};

static int reader_read(struct reading *r);

/* "redis.conf:12", for messages. */
static const char *
reader_where(const struct reading *r, unsigned line, char *where)
{
	size_t n;

	/* Leave room for the number. */
	n = strlen(text_show(where, WHERE_BYTES - 12, r->path, 0));
	snprintf(where + n, WHERE_BYTES - n, ":%u", line);
	return where;
}

/* Fail because of the file itself.  The message names the line that includes
 * it, too. */
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

/* --- Translating a file for iniparser. */

static void
reader_ignore(struct ignored *ignored, const char *name)
{
	size_t used = strlen(ignored->names);

	ignored->count++;
	if (used + strlen(name) + 2 < sizeof(ignored->names))
		snprintf(ignored->names + used, sizeof(ignored->names) - used,
		    "%s%s", used > 0 ? " " : "", name);
}

/* Take an item.  Another file may set a directive again, this one may not. */
static int
reader_add_item(struct reading *r, const struct directive *d, unsigned line,
    const char *where)
{
	for (unsigned i = 0; d != NULL && i < r->items; i++)
		if (r->item[i].directive == d)
			return line_fail(r->e,
			    "%s: %s: given twice, first in line %u", where,
			    d->name, r->item[i].line);
	if (r->items == ITEMS_MAX)
		return line_fail(r->e, "%s: too many lines with include",
		    where);
	r->item[r->items++] = (struct item){ d, line };
	return 0;
}

/* Translate a line to `ini` if it is a directive of ours. */
static int
reader_translate_line(struct reading *r, char *text, unsigned number, FILE *ini)
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
	if (reader_add_item(r, directive_find(line.name), number, where) == -1)
		return -1;
	/* A backslash at the end of a line would continue it.  No value is at
	 * the end, since a comment follows it. */
	fprintf(ini, "%u = %.*s #\n", number, (int)line.length, line.value);
	return 0;
}

static int
reader_translate(struct reading *r, FILE *in, FILE *ini)
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
			result = reader_translate_line(r, text, number, ini);
		if (result == -1)
			result = origin_forgive(r->c, text, r->e);
	}
	if (result == 0 && ferror(in))
		result = reader_fail(r, strerror(errno));
	free(line);
	return result;
}

/* --- Parsing the translation. */

/* By default iniparser prints errors to standard error. */
static int __attribute__((format(printf, 1, 2)))
reader_no_message(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

#ifdef HAVE_INIPARSER_LOAD_FILE

static dictionary *
reader_parse(char *text, size_t len, char *why, size_t size)
{
	FILE *f = fmemopen(text, len, "r");
	dictionary *ini = NULL;

	if (f != NULL) {
		ini = iniparser_load_file(f, "");
		fclose(f);
	}
	if (ini == NULL)
		strlcpy(why, "cannot be read as INI", size);
	return ini;
}

#else

/* iniparser before 4.2 opens a file by its name.  A name in /proc would need
 * /proc, which a chroot and an early boot do not have. */
static dictionary *
reader_parse(char *text, size_t len, char *why, size_t size)
{
	static const char *const folders[] = { "/dev/shm", "/run", "/tmp" };
	dictionary *ini = NULL;
	char path[32];
	int fd = -1;

	for (size_t i = 0; fd == -1 && i < 3; i++) {
		snprintf(path, sizeof(path), "%s/echod.XXXXXX", folders[i]);
		fd = mkostemp(path, O_CLOEXEC);
	}
	if (fd == -1) {
		snprintf(why, size,
		    "cannot be read: no temporary file in /dev/shm, /run or "
		    "/tmp: %s",
		    strerror(errno));
		return NULL;
	}
	errno = ENOSPC; /* a short write sets no errno */
	if (write(fd, text, len) != (ssize_t)len)
		snprintf(why, size, "cannot be read: temporary file %s: %s",
		    path, strerror(errno));
	else if ((ini = iniparser_load(path)) == NULL)
		strlcpy(why, "cannot be read as INI", size);
	(void)unlink(path);
	close(fd);
	return ini;
}

#endif

/* Translate and parse a file.  Returns NULL with the error stored. */
static dictionary *
reader_load(struct reading *r, FILE *in)
{
	dictionary *d = NULL;
	char *text = NULL, why[128] = "";
	size_t len = 0;
	FILE *ini = open_memstream(&text, &len);
	int result = 0, failed;

	if (ini != NULL) {
		result = reader_translate(r, in, ini);
		failed = ferror(ini);
		if (fclose(ini) == EOF || failed) {
			free(text);
			text = NULL;
		}
	}
	if (result == 0 && text == NULL)
		snprintf(why, sizeof(why), "no memory to read it: %s",
		    strerror(ENOMEM));
	else if (result == 0) {
		iniparser_set_error_callback(reader_no_message);
		d = reader_parse(text, len, why, sizeof(why));
	}
	if (why[0] != '\0')
		reader_fail(r, why);
	free(text);
	return d;
}

/* --- Taking the values. */

static int
reader_take_value(struct reading *r, const struct item *item, const char *value)
{
	const struct directive *d = item->directive;
	struct service_config *s = &r->c->defaults;
	struct setting *setting = directive_setting(r->c, s, d);
	char where[WHERE_BYTES], why[CONFIG_WHY];

	reader_where(r, item->line, where);
	if (value_set(r->c, s, d, value, why, sizeof(why)) == -1)
		return line_fail(r->e, "%s: %s: %s", where, d->name, why);
	if (origin_set_file(r->c, setting, r->path) == -1)
		return line_fail(r->e,
		    "%s: the names of included files are longer than %d bytes",
		    where, CONFIG_INCLUDED_BYTES);
	setting->origin = ORIGIN_FILE;
	setting->line = item->line;
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): at most CONFIG_INCLUDE_DEPTH deep */

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
		result = line_fail(r->e, "%s: include: more than %d files deep",
		    where, CONFIG_INCLUDE_DEPTH);
	for (size_t i = 0; result == 0 && i < found.count; i++) {
		inner.path = found.path[i];
		inner.items = 0;
		if (++*r->files > CONFIG_INCLUDE_FILES)
			result = line_fail(r->e,
			    "%s: include: more than %d files", where,
			    CONFIG_INCLUDE_FILES);
		else
			result = reader_read(&inner);
		if (result == -1)
			result = origin_forgive(r->c, LINE_INCLUDE, r->e);
	}
	include_free(&found);
	return result;
}

static int
reader_take_item(struct reading *r, const dictionary *ini,
    const struct item *item)
{
	char key[16], where[WHERE_BYTES];
	const char *value;

	snprintf(key, sizeof(key), ":%u", item->line);
	value = iniparser_getstring(ini, key, NULL);
	if (value == NULL)
		return line_fail(r->e, "%s: cannot be read as INI",
		    reader_where(r, item->line, where));
	return item->directive == NULL ? reader_include(r, item->line, value)
				       : reader_take_value(r, item, value);
}

static int
reader_take_all(struct reading *r, const dictionary *ini)
{
	for (unsigned i = 0; i < r->items; i++) {
		const struct item *item = &r->item[i];

		if (reader_take_item(r, ini, item) == -1 &&
		    origin_forgive(r->c,
			item->directive != NULL ? item->directive->name
						: LINE_INCLUDE,
			r->e) == -1)
			return -1;
	}
	return 0;
}

/* --- Opening a file. */

/* True if the open file is `r` or one of the files that include it. */
static bool
reader_is_open(const struct reading *r, const struct stat *st)
{
	for (; r != NULL; r = r->outer)
		if (r->device == st->st_dev && r->inode == st->st_ino)
			return true;
	return false;
}

/* What is wrong with the open file, or NULL.  A FIFO is accepted on the command
 * line only: the person who names one knows that it has an end. */
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
		return "includes form a loop";
	r->device = st.st_dev;
	r->inode = st.st_ino;
	return NULL;
}

static int
reader_read(struct reading *r)
{
	/* Without O_NONBLOCK, open(2) waits for the writer of a FIFO. */
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
	return result == 0 ? 0 : origin_forgive(c, NULL, e);
}

int
config_override(struct config *c, const char *assignment,
    struct config_error *e)
{
	char name[LINE_NAME_BYTES], value[CONFIG_VALUE_BYTES], why[CONFIG_WHY];
	const struct directive *d;
	struct setting *setting;

	if (line_parse_override(assignment, name, value, e) == -1)
		return -1;
	d = directive_find(name);
	if (value_set(c, &c->defaults, d, value, why, sizeof(why)) == -1)
		return line_fail(e, "-o %s: %s", d->name, why);
	setting = directive_setting(c, &c->defaults, d);
	setting->origin = ORIGIN_COMMAND_LINE;
	setting->doubt = DOUBT_NONE;
	return 0;
}
