/* SPDX-License-Identifier: ISC */
/*
 * The table of directives: one row holds all there is to know about one.
 */
#ifndef ECHOD_CONFIG_DIRECTIVE_H
#define ECHOD_CONFIG_DIRECTIVE_H

#include "config/config.h"

enum directive_type {
	TYPE_NUMBER,   /* decimal, min to max */
	TYPE_AUTO,     /* the same, or "auto", stored as 0 */
	TYPE_BOOL,     /* yes or no */
	TYPE_CHOICE,   /* one of `choices` */
	TYPE_STRING,   /* shorter than `size` */
	TYPE_PATH,     /* the same; made absolute by config_validate() */
	TYPE_BIND,     /* list of addresses */
	TYPE_NETWORKS, /* list of networks, may be empty */
	TYPE_MEMORY    /* bytes with a unit, "N%", or "auto" */
};

struct choice {
	const char *name; /* NULL ends the list */
	unsigned value;
};

struct directive {
	const char *name;
	enum directive_type type;
	const char *initial;	      /* the default, as text */
	unsigned min, max;	      /* TYPE_NUMBER, TYPE_AUTO */
	const struct choice *choices; /* TYPE_CHOICE */
	size_t offset;		      /* of the value in struct config */
	size_t size;		      /* of a string's storage */
};

extern const struct directive directives[];
extern const unsigned directive_count;

/* The row called `name` (letter case does not matter, as in Redis), or
 * NULL. */
const struct directive *directive_find(const char *name);

/* True if Redis knows a directive of this name. */
bool directive_known_to_redis(const char *name);

/* The name of ours, or of Redis's too if `redis`, that differs from `name` by
 * the fewest edits; NULL if none is near enough to be meant. */
const char *directive_nearest(const char *name, bool redis);

/*
 * Convert `text` strictly and store it in `c`.  Returns 0, or -1 with a
 * reason that names the text and what would be right, but neither file nor
 * directive, in `why`.
 */
int directive_set(struct config *c, const struct directive *d, const char *text,
    char *why, size_t size);

/* Whether `path` is one as it stands.  Returns 0, or -1 with a reason in `why`
 * if it needs a shell. */
int directive_check_path(const char *path, char *why, size_t size);

/*
 * A mistake in `line` of the file (NULL: it cannot be read at all), described
 * by `e`.  Returns -1 if it ends the reading; 0 if `c` is forgiving, which then
 * knows what is in doubt.
 */
int config_forgive(struct config *c, const char *line,
    const struct config_error *e);
/* TYPE_MEMORY: text to value and back, and what it comes to on this machine;
 * config/memory.c. */
int memory_set(struct memory_size *m, const char *text, char *why, size_t size);
void memory_format(const struct memory_size *m, char *text, size_t size);
void memory_settle(struct memory_size *m, unsigned percent, char *note,
    size_t size);

/* Note that the value of `s` comes from the file `path`.  Returns 0, or -1 if
 * there is no room for its name. */
int origin_set_file(struct config *c, struct setting *s, const char *path);

/* The value in `c` as text that directive_set() accepts. */
void directive_format(const struct config *c, const struct directive *d,
    char *text, size_t size);

#endif
