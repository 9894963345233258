/* SPDX-License-Identifier: ISC */
/*
 * The health check: one echo round trip as a client of the service.
 */
#ifndef ECHOD_COMMANDS_CHECK_H
#define ECHOD_COMMANDS_CHECK_H

#include "config/config.h"

/* Talk to the first configured address that the service listens on, for 3 s
 * at most; print one line and
 * return 0 if it answers as its handler should, else 1. */
int check(const struct config *c);

#endif
