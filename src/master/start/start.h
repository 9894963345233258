/* SPDX-License-Identifier: ISC */
/*
 * Starting the service from nothing.
 */
#ifndef ECHOD_MASTER_START_START_H
#define ECHOD_MASTER_START_START_H

#include "config/config.h"
#include "master/master.h"

/* Start the service, whose workers run `entry`, and run it until it is stopped.
 * Returns the program's exit status. */
int start_service(const struct config *c, worker_entry *entry);

#endif
