/* SPDX-License-Identifier: ISC */
/*
 * The test of a configuration: the one answer of echod -t and of the check of a
 * reload.
 */
#ifndef ECHOD_MASTER_START_TEST_H
#define ECHOD_MASTER_START_TEST_H

#include "config/config.h"
#include "master/upgrade/record.h"

/*
 * Test whether a service with configuration `c` could start (`before` is NULL),
 * or take over from the program that wrote the record `before`.  If it could,
 * that is said on standard output; to a record, what names of `bind` stand for
 * is added, and that the check has passed.  If not, the reason is logged.
 * Returns the exit status of the program.
 */
int test_configuration(const struct config *c,
    const struct upgrade_record *before);

#endif
