/* SPDX-License-Identifier: ISC */
/*
 * The watchdog: workers that make no progress are killed and replaced.
 */
#ifndef ECHOD_MASTER_WATCHDOG_H
#define ECHOD_MASTER_WATCHDOG_H

#include "master/master.h"

/* Look at the workers, if it is time or one of them has woken us, and kill
 * those that have been stuck in one operation, or stopped, for
 * watchdog-timeout. */
void watchdog(struct master *m);

/* When watchdog() has to look next, clock_ms(). */
uint64_t watchdog_next(const struct master *m);

#endif
