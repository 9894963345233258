/* SPDX-License-Identifier: ISC */
/*
 * The log, as the configuration has it.
 */
#ifndef ECHOD_MASTER_START_LOGGING_H
#define ECHOD_MASTER_START_LOGGING_H

#include "config/config.h"
#include "master/start/privileges.h"

/* Log as `c` says, to a file that belongs to `id`.  If the file cannot be
 * opened and `inherited` is not -1, log to that descriptor instead.  Returns 0,
 * or -1 with the reason logged. */
int logging_open(const struct config *c, const struct identity *id,
    int inherited);

#endif
