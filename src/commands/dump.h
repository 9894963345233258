/* SPDX-License-Identifier: ISC */
/*
 * The dump: echod -T.
 */
#ifndef ECHOD_COMMANDS_DUMP_H
#define ECHOD_COMMANDS_DUMP_H

#include "config/config.h"

/* Print each directive with its value and origin, and the addresses of the
 * names in `bind`.  If the file has mistakes, also logs the first and their
 * number.  Returns the exit status of the program. */
int dump(const struct config *c);

#endif
