/*
 * Signals to the running service, by name.
 */
#ifndef ECHOD_SEND_H
#define ECHOD_SEND_H

#include <stdbool.h>

#include "config/config.h"

/* True if `name` is one of reload, stop, kill, reopen, status. */
bool send_knows(const char *name);

/* Send what `name` stands for to the master that has the pid file of `c`, and
 * wait for what comes of a reload; or print the status.  Returns the program's
 * exit status: 0 sent, 1 with the reason printed; status has its own. */
int send_signal(const struct config *c, const char *name);

#endif
