/* SPDX-License-Identifier: ISC */
/*
 * The program that runs as the administration process.
 */
#ifndef ECHOD_MASTER_ADMIN_PROGRAM_H
#define ECHOD_MASTER_ADMIN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* Whether `c` wants a control socket or metrics, for which it is needed. */
bool admin_program_wanted(const struct config *c);

/*
 * Open the program that belongs to this one: beside it, as in a build tree, or
 * where it is installed.  Returns a descriptor, close-on-exec, to execute it
 * by, or -1 with a reason in `why`.
 */
int admin_program_open(char *why, size_t size);

/* Whether it is there, if `c` needs it, and has the same layout of what both
 * read.  It is executed for that, which takes milliseconds.  Returns 0, or -1
 * with a reason in `why`. */
int admin_program_check(const struct config *c, char *why, size_t size);

/* Where it is, for messages; "" before. */
const char *admin_program_path(void);

#endif
