/* SPDX-License-Identifier: ISC */
/*
 * The service, taken over from another executable of the program that ran it
 * until now; or given back to it.
 */
#ifndef ECHOD_MASTER_UPGRADE_RESUME_H
#define ECHOD_MASTER_UPGRADE_RESUME_H

#include "config/config.h"
#include "master/master.h"
#include "master/upgrade/record.h"

/* Build the configuration of the program that takes over.  Returns 0, or -1
 * with `e` filled in. */
typedef int resume_load(struct config *c, struct config_error *e);

/*
 * Take the service over from the executable that wrote `t` and run it until it
 * is stopped.  If that cannot be, the executable before is executed again and
 * carries on; returns only after a stop, or when that one cannot be executed
 * either.
 */
int resume_service(struct config *c, const struct upgrade_record *t,
    resume_load *load, worker_entry *entry);

#endif
