/* SPDX-License-Identifier: ISC */
/*
 * What a standby does that has become the master.
 */
#ifndef ECHOD_STANDBY_PROMOTE_H
#define ECHOD_STANDBY_PROMOTE_H

#include "master/master.h"

/* Tell everybody, and take up what the former master has left undone.  All of
 * it may have been done before, by a master that died meanwhile. */
void promote(struct master *m);

/* Log how the former master ended, as soon as the kernel tells. */
void promote_log(struct master *m);

#endif
