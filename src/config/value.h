/* SPDX-License-Identifier: ISC */
/*
 * Between the text of a directive's value and the value in struct config.
 */
#ifndef ECHOD_CONFIG_VALUE_H
#define ECHOD_CONFIG_VALUE_H

#include "config/directive.h"

/* Fill `c` with the built-in defaults. */
void config_defaults(struct config *c);

/*
 * Convert `text` strictly and store it in `s`, or in `c` if it is common to all
 * services.  Returns 0, or -1 with a reason
 * in `why`.  The reason quotes the text and says what is accepted; it names
 * neither file nor directive.
 */
int value_set(struct config *c, struct service_config *s,
    const struct directive *d, const char *text, char *why, size_t size);

/* Copy a string from outside that a file can contain.  Returns 0, or -1 with a
 * reason in `why`. */
int value_set_text(char *value, size_t room, const char *text, char *why,
    size_t size);

/* Copy the value of `d`, which each service has, from one to another. */
void value_copy(struct service_config *s, const struct service_config *from,
    const struct directive *d);

/* Write the value in `s` or `c` as text that value_set() accepts. */
void value_format(const struct config *c, const struct service_config *s,
    const struct directive *d, char *text, size_t size);

/* True if `name` is that of a handler that echod has without a module. */
bool value_is_built_in(const char *handler);

/* The names of these handlers, for messages. */
#define VALUE_BUILT_IN "echo, raw, discard"

/* Check that `path` does not need a shell to expand it.  Returns 0, or -1 with
 * a reason in `why`. */
int value_check_path(const char *path, char *why, size_t size);

#endif
