/* SPDX-License-Identifier: ISC */
/*
 * The command connections: the list, sorted if that is asked for.
 */
#ifndef ECHOD_CTL_CONNECTIONS_H
#define ECHOD_CTL_CONNECTIONS_H

#include <stdbool.h>

#include "ctl/arguments.h"

/* True if connections can be sorted by `key`. */
bool connections_knows(const char *key);

/* Returns the exit status. */
int connections_run(const struct arguments *a);

#endif
