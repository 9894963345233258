/* SPDX-License-Identifier: ISC */
/*
 * The command reload: ask for it, and wait for its result.
 */
#ifndef ECHOD_ECHOCTL_RELOAD_H
#define ECHOD_ECHOCTL_RELOAD_H

#include "echoctl/arguments.h"

/* Returns the exit status. */
int reload_run(const struct arguments *a);

#endif
