/* SPDX-License-Identifier: ISC */
/*
 * The command reload: ask for it, and wait for its result.
 */
#ifndef ECHOD_CTL_RELOAD_H
#define ECHOD_CTL_RELOAD_H

#include "ctl/arguments.h"

/* Returns the exit status. */
int reload_run(const struct arguments *a);

#endif
