/* SPDX-License-Identifier: ISC */
/*
 * The watchdog: it kills workers that make no progress, so that they are
 * replaced.
 */
#ifndef ECHOD_MASTER_WATCHDOG_H
#define ECHOD_MASTER_WATCHDOG_H

#include <stdint.h>

#include "config/config.h"
#include "master/child.h"
#include "shared/arena.h"

struct watchdog {
	/* The next look, clock_ms(); CLOCK_NEVER: when a worker wakes us. */
	uint64_t look_at;
};

/*
 * Look at the `workers` children of all slots, if a look is due or a worker has
 * woken the master.  Kill those that have been stuck in one operation, or
 * stopped by a signal, for watchdog-timeout.
 */
void watchdog_step(struct watchdog *w, const struct config *c,
    const struct arena *a, unsigned workers, struct child *child);

/* When the next look is due, clock_ms(). */
uint64_t watchdog_next(const struct watchdog *w);

#endif
