/* SPDX-License-Identifier: ISC */
/*
 * The health check: a client of each service, which asks in the service's own
 * way.
 */
#ifndef ECHOD_COMMANDS_CHECK_H
#define ECHOD_COMMANDS_CHECK_H

#include "config/config.h"

/* Ask each service at the first of its addresses that this machine has, for at
 * most 3 s.  Prints a line for each.  Returns 0 if all answers are right for
 * their handlers, else 1. */
int check(const struct config *c);

#endif
