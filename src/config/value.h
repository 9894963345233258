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
 * Convert `text` strictly and store it in `c`.  Returns 0, or -1 with a reason
 * in `why`.  The reason quotes the text and says what is accepted; it names
 * neither file nor directive.
 */
int value_set(struct config *c, const struct directive *d, const char *text,
    char *why, size_t size);

/* Write the value in `c` as text that value_set() accepts. */
void value_format(const struct config *c, const struct directive *d, char *text,
    size_t size);

/* Check that `path` does not need a shell to expand it.  Returns 0, or -1 with
 * a reason in `why`. */
int value_check_path(const char *path, char *why, size_t size);

#endif
