/* SPDX-License-Identifier: ISC */
/*
 * Signals to the running service, and its status: echod -s.
 */
#ifndef ECHOD_COMMANDS_SIGNAL_H
#define ECHOD_COMMANDS_SIGNAL_H

#include <stdbool.h>

#include "config/config.h"

/* True if `name` is one of reload, stop, kill, reopen, status. */
bool signal_knows(const char *name);

/* Send the signal called `name` to the master that holds the pid file of `c`,
 * and wait for the outcome of a reload; or print the status.  Returns the exit
 * status of the program: 0, or 1 with the reason logged; `status` has its own
 * (echod(8)). */
int signal_send(const struct config *c, const char *name);

#endif
