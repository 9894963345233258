/* SPDX-License-Identifier: ISC */
/*
 * A configuration as text: for people (-T), for the next program, and to find
 * what differs between two of them.
 */
#ifndef ECHOD_CONFIG_SERIALIZE_H
#define ECHOD_CONFIG_SERIALIZE_H

#include <stdio.h>

#include "config/config.h"

/* Print every directive with value and origin, in the syntax of the file.
 * Returns 0, or -1 with errno set if it cannot be written. */
int config_dump(const struct config *c, FILE *out);

/*
 * Write a validated configuration as items of a key and a value: `put` is
 * called for each item.  Another version of the program may read them with
 * config_restore(); it ignores keys that it does not know.
 */
typedef void config_put(void *to, const char *key, const char *value);
void config_save(const struct config *c, config_put *put, void *to);

/* Take back one item of config_save().  Returns 0, 1 if the key is not one of
 * the configuration, or -1 if the value is invalid. */
int config_restore(struct config *c, const char *key, const char *value);

/* Call `tell` for each directive that differs.  Returns their number. */
typedef void config_tell(const char *name, const char *was, const char *is);
unsigned config_compare(const struct config *was, const struct config *is,
    config_tell *tell);

#endif
