/* SPDX-License-Identifier: ISC */
/*
 * Telling the service manager what the service does: sd_notify(3)'s protocol.
 */
#ifndef ECHOD_MASTER_NOTIFY_H
#define ECHOD_MASTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "master/master.h"

/* True if NOTIFY_SOCKET is set: a service manager waits to be told. */
bool notify_wanted(void);

/* Tell the manager from now on; before this call, nothing here does anything.
 * If `warn`, variables of the manager that cannot be used are logged. */
void notify_enable(struct notify *n, bool warn);

/* Send assignments separated by newlines, e.g. "STOPPING=1".  If the manager
 * cannot be reached, a warning is logged. */
void notify_tell(struct notify *n, const char *state);

/* Send that the service is ready, on the addresses `names`.  `remark` follows
 * the status, then and in later ones. */
void notify_ready(struct notify *n, const struct config *c, const char *names,
    const char *remark);

/*
 * In each round of the master's loop: send the status if it has changed,
 * WATCHDOG=1 while clients are served or will be soon, and a request for more
 * time during a start or a stop.
 *
 * Clients are served if some worker serves and has moved or slept since the
 * last look.  Workers that hang or are stopped are watchdog-timeout's to
 * replace, workers that died are the master's.  For the time that this may take
 * the manager is told that all is well, and no longer.
 */
void notify_step(struct master *m);

/* When notify_step() has something to do at the latest, clock_ms(). */
uint64_t notify_next(const struct notify *n);

#endif
