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
 * when its turn comes, each with a dictionary of its own.  They begin in the
 * section of the line that includes them; a section of their own ends with the
 * file.
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
#include "config/services.h"
#include "config/text.h"
#include "config/value.h"

#define WHERE_BYTES (PATH_MAX + 32)

/* A line that counts. */
struct item {
	enum line_kind kind;
	const struct directive *directive; /* LINE_OURS; NULL: an include */
	char name[CONFIG_OPTION_NAME];	   /* LINE_OPTION, LINE_SECTION */
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
	struct service_config *service; /* of the section that it is in */
	bool section;			/* the translation is in a section */
	struct item *item;		/* in the order of the file */
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

/* The item before, of the same section, that sets the same; NULL if there is
 * none. */
static const struct item *
reader_earlier(const struct reading *r, const struct item *new)
{
	for (unsigned i = r->items; i-- > 0;) {
		const struct item *old = &r->item[i];

		if (old->kind == LINE_SECTION)
			break;
		if (old->kind == new->kind &&
		    old->directive ==
			new->directive &&strcmp(old->name, new->name) == 0)
			return old;
	}
	return NULL;
}

/* Take an item.  Another file may set a directive again, this one may not. */
static int
reader_add_item(struct reading *r, const struct item *new, const char *where)
{
	const struct item *old = NULL;
	struct item *more;

	if (new->kind == LINE_OPTION || new->directive != NULL)
		old = reader_earlier(r, new);
	if (old != NULL)
		return line_fail(r->e,
		    "%s: %s%s: given twice, first in line %u", where,
		    new->directive != NULL ? new->directive->name
					   : SERVICES_OPTION,
		    new->name, old->line);
	more = reallocarray(r->item, r->items + 1, sizeof(*more));
	if (more == NULL)
		return line_fail(r->e, "%s: %s", where, strerror(ENOMEM));
	r->item = more;
	r->item[r->items++] = *new;
	return 0;
}

/* Translate a line to `ini` if it is a directive of ours. */
static int
reader_translate_line(struct reading *r, char *text, unsigned number, FILE *ini)
{
	struct item item = { .line = number };
	char where[WHERE_BYTES];
	struct line line;

	reader_where(r, number, where);
	if (line_parse(&line, text, r->section, where, r->e) == -1)
		return -1;
	item.kind = line.kind;
	switch (line.kind) {
	case LINE_EMPTY:
		return 0;
	case LINE_IGNORED:
		reader_ignore(&r->c->ignored, line.name);
		return 0;
	case LINE_OURS:
		item.directive = directive_find(line.name);
		break;
	case LINE_SECTION:
		r->section = true;
		/* FALLTHROUGH */
	case LINE_OPTION:
		strlcpy(item.name, line.name, sizeof(item.name));
	}
	if (reader_add_item(r, &item, where) == -1)
		return -1;
	/* A backslash at the end of a line would continue it.  No value is at
	 * the end, since a comment follows it. */
	if (line.kind != LINE_SECTION)
		fprintf(ini, "%u = %.*s #\n", number, (int)line.length,
		    line.value);
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
			result = origin_forgive(r->c, r->service, text, r->e);
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

/* Record where the value of an item comes from. */
static int
reader_record(struct reading *r, const struct item *item,
    struct setting *setting)
{
	char where[WHERE_BYTES];

	if (origin_set_file(r->c, setting, r->path) == -1)
		return line_fail(r->e,
		    "%s: the names of included files are longer than %d bytes",
		    reader_where(r, item->line, where), CONFIG_INCLUDED_BYTES);
	setting->origin = ORIGIN_FILE;
	setting->line = item->line;
	return 0;
}

static int
reader_take_value(struct reading *r, const struct item *item, const char *value)
{
	const struct directive *d = item->directive;
	char where[WHERE_BYTES], why[CONFIG_WHY];

	if (value_set(r->c, r->service, d, value, why, sizeof(why)) == -1)
		return line_fail(r->e, "%s: %s: %s",
		    reader_where(r, item->line, where), d->name, why);
	return reader_record(r, item, directive_setting(r->c, r->service, d));
}

static int
reader_take_option(struct reading *r, const struct item *item,
    const char *value)
{
	char where[WHERE_BYTES], why[CONFIG_WHY];
	struct setting *setting;

	if (services_set_option(r->service, item->name, value, &setting, why,
		sizeof(why)) == -1)
		return line_fail(r->e, "%s: " SERVICES_OPTION "%s: %s",
		    reader_where(r, item->line, where), item->name, why);
	return reader_record(r, item, setting);
}

static int
reader_begin_section(struct reading *r, const struct item *item)
{
	char where[WHERE_BYTES], why[CONFIG_WHY];
	struct service_config *s;

	s = services_add(r->c, item->name, why, sizeof(why));
	if (s == NULL)
		return line_fail(r->e, "%s: %s",
		    reader_where(r, item->line, where), why);
	r->service = s;
	return reader_record(r, item, &s->section);
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
		inner.service = r->service;
		inner.section = r->service != &r->c->defaults;
		if (++*r->files > CONFIG_INCLUDE_FILES)
			result = line_fail(r->e,
			    "%s: include: more than %d files", where,
			    CONFIG_INCLUDE_FILES);
		else
			result = reader_read(&inner);
		if (result == -1)
			result = origin_forgive(r->c, r->service,
			    DIRECTIVE_INCLUDE, r->e);
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

	if (item->kind == LINE_SECTION)
		return reader_begin_section(r, item);
	snprintf(key, sizeof(key), ":%u", item->line);
	value = iniparser_getstring(ini, key, NULL);
	if (value == NULL)
		return line_fail(r->e, "%s: cannot be read as INI",
		    reader_where(r, item->line, where));
	if (item->kind == LINE_OPTION)
		return reader_take_option(r, item, value);
	return item->directive == NULL ? reader_include(r, item->line, value)
				       : reader_take_value(r, item, value);
}

/* The line that a mistake was in, as far as origin_forgive() asks. */
static const char *
reader_mistaken(const struct item *item)
{
	if (item->kind == LINE_SECTION)
		return "[";
	if (item->kind == LINE_OPTION)
		return "handler";
	return item->directive != NULL ? item->directive->name
				       : DIRECTIVE_INCLUDE;
}

static int
reader_take_all(struct reading *r, const dictionary *ini)
{
	for (unsigned i = 0; i < r->items; i++)
		if (reader_take_item(r, ini, &r->item[i]) == -1 &&
		    origin_forgive(r->c, r->service,
			reader_mistaken(&r->item[i]), r->e) == -1)
			return -1;
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

	r->item = NULL;
	r->items = 0;
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
	free(r->item);
	return result;
}

/* NOLINTEND(misc-no-recursion) */

int
config_read_file(struct config *c, const char *path, struct config_error *e)
{
	unsigned files = 0;
	struct reading r = { .c = c,
		.e = e,
		.path = path,
		.files = &files,
		.service = &c->defaults };
	int result;

	if (strlcpy(c->file, path, sizeof(c->file)) >= sizeof(c->file))
		result = line_fail(e, "%.64s...: %s", path,
		    strerror(ENAMETOOLONG));
	else
		result = reader_read(&r);
	if (result == -1 && c->forgiving)
		c->file[0] = '\0';
	return result == 0 ? 0 : origin_forgive(c, &c->defaults, NULL, e);
}

/* Set an option or a directive of `s`.  Returns 0, or -1 with a reason. */
static int
reader_set_override(struct config *c, struct service_config *s,
    const struct line_override *o, struct setting **setting, char *why,
    size_t size)
{
	if (o->directive == NULL)
		return services_set_option(s, o->name, o->value, setting, why,
		    size);
	*setting = directive_setting(c, s, o->directive);
	return value_set(c, s, o->directive, o->value, why, size);
}

int
config_override(struct config *c, const char *assignment,
    struct config_error *e)
{
	struct line_override o;
	struct service_config *s = &c->defaults;
	struct setting *setting;
	char why[CONFIG_WHY];

	if (line_parse_override(&o, c, assignment, e) == -1)
		return -1;
	if (o.service != NULL)
		s = &c->service[o.service - c->service];
	if (reader_set_override(c, s, &o, &setting, why, sizeof(why)) == -1)
		return line_fail(e, "-o %s%s%s%s%s: %s",
		    s->name[0] != '\0' ? LINE_SERVICE : "", s->name,
		    s->name[0] != '\0' ? "." : "",
		    o.directive == NULL ? SERVICES_OPTION : "",
		    o.directive == NULL ? o.name : o.directive->name, why);
	setting->origin = ORIGIN_COMMAND_LINE;
	setting->doubt = DOUBT_NONE;
	return 0;
}
