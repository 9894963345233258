/* SPDX-License-Identifier: ISC */
/*
 * What the administration process may ask of the master.
 */
#ifndef ECHOD_MASTER_ADMIN_REQUESTS_H
#define ECHOD_MASTER_ADMIN_REQUESTS_H

#include "master/master.h"
#include "shared/request.h"

/* Carry out some of what it has asked.  Returns false if the way to it is
 * broken. */
bool admin_requests_step(struct master *m);

#endif
