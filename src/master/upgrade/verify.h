/* SPDX-License-Identifier: ISC */
/*
 * Whether this program can run the service with a configuration: the one answer
 * of echod -t and of the check of a reload.
 */
#ifndef ECHOD_MASTER_UPGRADE_VERIFY_H
#define ECHOD_MASTER_UPGRADE_VERIFY_H

#include <stddef.h>

#include "config/config.h"
#include "master/upgrade/record.h"

/*
 * Ask for a start (`t` is NULL), or for taking over from the program that wrote
 * `t`.  The steps are those that the start and the resume take; nothing is
 * changed.  To a record, the addresses that names of `bind` stand for are added,
 * and that the check has passed.  Returns 0, or -1 with a reason in `why`.
 */
int verify(const struct upgrade_record *t, const struct config *c, char *why,
    size_t size);

#endif
