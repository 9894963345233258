/* SPDX-License-Identifier: ISC */
/*
 * The health check: one echo round trip as a client of the service.
 */
#ifndef ECHOD_COMMANDS_CHECK_H
#define ECHOD_COMMANDS_CHECK_H

#include "config/config.h"

/* Make one round trip to the first configured address that this machine has,
 * for at most 3 s.  Prints one line.  Returns 0 if the answer is right for the
 * handler, else 1. */
int check(const struct config *c);

#endif
