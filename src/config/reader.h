/* SPDX-License-Identifier: ISC */
/*
 * Reading redis.conf, the files that it includes, and -o.
 */
#ifndef ECHOD_CONFIG_READER_H
#define ECHOD_CONFIG_READER_H

#include "config/config.h"

/*
 * Read the file `path`, and the files that it includes, into `c`.  Accepts
 * `name = value` (INI) and Redis's `name value`.  Returns 0, or -1 with an
 * error in `e` that names file, line and directive.
 */
int config_read_file(struct config *c, const char *path,
    struct config_error *e);

/* Apply one "name=value", or "service.SERVICE.name=value", of the command line,
 * after the file was read.  Returns 0, or -1 with `e`
 * set. */
int config_override(struct config *c, const char *assignment,
    struct config_error *e);

#endif
