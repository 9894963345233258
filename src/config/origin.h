/* SPDX-License-Identifier: ISC */
/*
 * Where each value comes from, and which values a mistake in the file leaves
 * in doubt.
 */
#ifndef ECHOD_CONFIG_ORIGIN_H
#define ECHOD_CONFIG_ORIGIN_H

#include "config/directive.h"

/* Record that the value of `s` comes from the file `path`.  Returns 0, or -1
 * if there is no room for the name. */
int origin_set_file(struct config *c, struct setting *s, const char *path);

/* The file that a value with ORIGIN_FILE comes from. */
const char *config_origin_file(const struct config *c, const struct setting *s);

/* directive_setting() of a configuration that is only read. */
const struct setting *origin_look(const struct config *c,
    const struct service_config *s, const struct directive *d);

/* The origin, line, note and doubt of the directive called `name`, at the top
 * of the file if services have their own. */
struct setting *origin_of(struct config *c, const char *name);

/* The note that config_validate() left about the directive called `name`
 * ("clamped from 10000: ..."), or "". */
const char *config_note(const struct config *c, const char *name);

/*
 * Handle a mistake in `line` of a file, described by `e`, which is about the
 * service `s`; a NULL `line` means that the file cannot be read at all.
 * Returns -1 if the mistake ends the reading.  If `c` is forgiving, counts the
 * mistake, records which directives it leaves in doubt, and returns 0.
 */
int origin_forgive(struct config *c, struct service_config *s, const char *line,
    const struct config_error *e);

/*
 * Whether a forgiving configuration has the values of the directive called
 * `name` that the service has: no mistake was about it, in any section, or the
 * command line sets it.  Doubts below `least` do not count.  Returns 0, or -1
 * with the first mistake of the file in `e`.
 */
int config_need(const struct config *c, const char *name, enum doubt least,
    struct config_error *e);

#endif
