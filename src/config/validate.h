/* SPDX-License-Identifier: ISC */
/*
 * Checks that need more than one directive or the machine.
 */
#ifndef ECHOD_CONFIG_VALIDATE_H
#define ECHOD_CONFIG_VALIDATE_H

#include "config/config.h"

/*
 * Complete and check `c`: `auto` becomes a number, maxclients is clamped to
 * `max_descriptors` (the hard limit of RLIMIT_NOFILE), users and groups are
 * looked up, and relative paths become absolute.  `directory` is the directory
 * that they start at, "" if the working directory does not exist.  Returns 0,
 * or -1 with `e` set.
 */
int config_validate(struct config *c, const char *directory,
    unsigned long max_descriptors, struct config_error *e);

/* The number of descriptors that the service needs in addition to those of
 * `maxclients` connections. */
unsigned config_reserved_descriptors(const struct config *c);

#endif
