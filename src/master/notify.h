/* SPDX-License-Identifier: ISC */
/*
 * Telling the service manager: sd_notify(3)'s protocol.
 */
#ifndef ECHOD_MASTER_NOTIFY_H
#define ECHOD_MASTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "master/master.h"

/* True if NOTIFY_SOCKET is set: a service manager waits to be told. */
bool notify_wanted(void);

/* From now on the manager is told; before, nothing here does anything.  With
 * `warn`, what of its environment cannot be used is said, once. */
void notify_enable(bool warn);

/* Send assignments separated by newlines, e.g. "STOPPING=1".  A manager that
 * cannot be reached is warned about. */
void notify_tell(const char *state);

/* Send that the service is ready, on addresses called `names`; `remark` goes
 * behind the status, and stays there. */
void notify_ready(const struct config *c, const char *names,
    const char *remark);

/*
 * The master's part, in each round of its loop: the status if it has changed,
 * WATCHDOG=1 while clients are served or will be soon, and that a start or a
 * stop takes longer.  notify_next() is when it has something to do at the
 * latest, clock_ms().
 *
 * Served means: some worker serves, and has moved or slept since the last
 * look.  Workers that hang or are stopped are watchdog-timeout's to replace,
 * and those that died are the master's: the manager is told that all is well
 * for so long, and no longer.
 */
void notify_step(const struct master *m);
uint64_t notify_next(void);

#endif
