/* SPDX-License-Identifier: ISC */
/*
 * The table of directives.  A row holds everything about one directive.
 */
#ifndef ECHOD_CONFIG_DIRECTIVE_H
#define ECHOD_CONFIG_DIRECTIVE_H

#include "config/config.h"

#define DIRECTIVE_NAME_BYTES 64
/* This directive is not in the table: it has no value in struct config. */
#define DIRECTIVE_INCLUDE "include"

enum directive_type {
	TYPE_NUMBER,   /* decimal, min to max */
	TYPE_AUTO,     /* the same, or "auto", which is stored as 0 */
	TYPE_BOOL,     /* yes or no */
	TYPE_CHOICE,   /* one of `choices` */
	TYPE_STRING,   /* shorter than `size` */
	TYPE_PATH,     /* the same; config_validate() makes it absolute */
	TYPE_BIND,     /* list of addresses */
	TYPE_NETWORKS, /* list of networks, may be empty */
	TYPE_MEMORY,   /* bytes with a unit, "N%", or "auto" */
	TYPE_HANDLER   /* a name, or an absolute path */
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
	bool service;		      /* each service has its own value */
	bool total;    /* ... 0 unless it sets it: the value at the
				       * top is that of all services together */
	size_t offset; /* in struct service_config, or struct config */
	size_t size;   /* of a string's storage, in bytes */
};

/* In the order of redis.conf and echod.conf(5). */
extern const struct directive directives[];
extern const unsigned directive_count;

/* Where the value of `d` is: in `s` if each service has its own, else in
 * `c`. */
void *directive_place(struct config *c, struct service_config *s,
    const struct directive *d);
/* Where its origin is, likewise. */
struct setting *directive_setting(struct config *c, struct service_config *s,
    const struct directive *d);

/* The row called `name`, or NULL.  Letter case does not matter, as in Redis. */
const struct directive *directive_find(const char *name);

/* True if Redis or Valkey has a directive of this name. */
bool directive_known_to_redis(const char *name);

/* True if `name` looks like a misspelt handler.NAME. */
bool directive_is_option(const char *name);

/* The name that differs from `name` by the fewest edits: a name of ours or,
 * with `redis`, of Redis.  NULL if no name is near enough to be meant. */
const char *directive_nearest(const char *name, bool redis);

#endif
