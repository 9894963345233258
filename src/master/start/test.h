/* SPDX-License-Identifier: ISC */
/*
 * The test of a configuration: echod -t, and the same by the next program
 * before a reload.
 */
#ifndef ECHOD_MASTER_START_TEST_H
#define ECHOD_MASTER_START_TEST_H

#include "config/config.h"
#include "master/upgrade/record.h"

/* Test whether a service with the configuration could start, or take over from
 * the one of `before` (NULL: none).  Says so on standard output, and in the
 * record of `before`; otherwise logs the reason.  Returns the exit status of
 * the program. */
int test_configuration(const struct config *c,
    const struct upgrade_record *before);

#endif
