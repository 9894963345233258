/* SPDX-License-Identifier: ISC */
/*
 * The directive names of all versions of Redis and Valkey, so that an existing
 * redis.conf loads unchanged; and the nearest name to a misspelt one.
 */
#include "config/directive.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Generated from redis_names.txt. */
static const char *const redis_names[] = {
#include "config/redis_names.h"
};

#define REDIS_NAMES (sizeof(redis_names) / sizeof(redis_names[0]))
#define NAME_MAX_COMPARED 64

/* The `*` at the end of a row that names a family of directives, or NULL. */
static const char *
redis_names_family(const char *row)
{
	return strchr(row, '*');
}

/* Since Redis 7 the directives of a module are called MODULE.NAME. */
static bool
redis_names_module(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot != NULL && dot > name && dot[1] != '\0';
}

/* True if the name has only letters, digits and .-_ in it: the directive of a
 * module can have any such name. */
static bool
redis_names_word(const char *name)
{
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) &&
		    strchr(".-_", *name) == NULL)
			return false;
	return true;
}

/* The Levenshtein distance: the lowest number of inserted, deleted or changed
 * letters that turns one name into the other.  Letter case does not count. */
static unsigned
redis_names_distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_COMPARED + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_COMPARED || lb > NAME_MAX_COMPARED)
		return NAME_MAX_COMPARED;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = diagonal +
			    (tolower((unsigned char)a[i - 1]) !=
				tolower((unsigned char)b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

bool
directive_is_option(const char *name)
{
	char module[16];
	size_t n = strcspn(name, ".");

	if (name[n] == '\0' || n >= sizeof(module))
		return false;
	memcpy(module, name, n);
	module[n] = '\0';
	return redis_names_distance(module, "handler") <= 2;
}

bool
directive_known_to_redis(const char *name)
{
	for (size_t i = 0; i < REDIS_NAMES; i++) {
		const char *row = redis_names[i];
		const char *star = redis_names_family(row);

		if (star != NULL
			? strncasecmp(row, name, (size_t)(star - row)) == 0 &&
			    redis_names_word(name)
			: strcasecmp(row, name) == 0)
			return true;
	}
	return redis_names_module(name) && redis_names_word(name) &&
	    !directive_is_option(name);
}

const char *
directive_nearest(const char *name, bool redis)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(name) / 3 + 1;

	/* Of two equally near names, ours is preferred. */
	for (unsigned i = 0; i < directive_count; i++)
		if (redis_names_distance(name, directives[i].name) <= least) {
			least = redis_names_distance(name, directives[i].name) -
			    1;
			nearest = directives[i].name;
		}
	for (size_t i = 0; redis && i < REDIS_NAMES; i++)
		if (redis_names_family(redis_names[i]) == NULL &&
		    redis_names_distance(name, redis_names[i]) <= least) {
			least = redis_names_distance(name, redis_names[i]) - 1;
			nearest = redis_names[i];
		}
	return nearest;
}
