/* SPDX-License-Identifier: ISC */
/*
 * Signals to the running service, by name.
 */
#ifndef ECHOD_COMMANDS_SIGNAL_H
#define ECHOD_COMMANDS_SIGNAL_H

#include <stdbool.h>

#include "config/config.h"

/* True if `name` is one of reload, stop, kill, reopen, status. */
bool signal_knows(const char *name);

/* Send what `name` stands for to the master that has the pid file of `c`, and
 * wait for what comes of a reload; or print the status.  Returns the program's
 * exit status: 0 sent, 1 with the reason printed; status has its own. */
int signal_send(const struct config *c, const char *name);

#endif
