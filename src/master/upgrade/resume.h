/* SPDX-License-Identifier: ISC */
/*
 * A reload, after the exec: this program takes the service over from the one
 * before, or gives it back.
 */
#ifndef ECHOD_MASTER_UPGRADE_RESUME_H
#define ECHOD_MASTER_UPGRADE_RESUME_H

#include "config/config.h"
#include "master/master.h"
#include "master/upgrade/record.h"

/* Read the configuration of this program.  Returns 0, or -1 with `e` filled
 * in. */
typedef int resume_load(struct config *c, struct config_error *e);

/*
 * Take the service over from the program that wrote `t`, and run it until it is
 * stopped.  Workers run `entry`.  If this program cannot take over, it executes
 * the program before again, which goes on.  Returns the exit status of the
 * program after a stop, or if the program before cannot be executed either.
 */
int resume_service(struct config *c, const struct upgrade_record *t,
    resume_load *load, worker_entry *entry);

#endif
