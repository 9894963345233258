/* SPDX-License-Identifier: ISC */
/*
 * A reload: the program on disk is checked with the configuration on disk, the
 * workers leave between two operations, and the program is executed in place of
 * this one.  reload_state.h draws its phases.
 */
#ifndef ECHOD_MASTER_UPGRADE_RELOAD_H
#define ECHOD_MASTER_UPGRADE_RELOAD_H

#include "master/master.h"

/* A reload is asked for; `source` is a signal's name or another source for the
 * log.  A request during a reload is kept for after it; during a stop it is
 * ignored. */
void reload_request(struct master *m, const char *source);

/* The same; the process with number `asker` is told the result (outcome.h).
 * During a stop, or if too many wait already, the result is false: the reload
 * is refused.  A process that asked by a signal is told so at once; a request
 * of the administration process is for the caller to answer. */
bool reload_request_by(struct master *m, const char *source, int asker);

/* The reload is over: tell the service manager and those that asked.  `failed`
 * is NULL, or "refused" or "failed"; the reason is in the service's totals. */
void reload_tell(struct master *m, const char *failed);

/* Do what is due.  Does not return if the next program takes over. */
void reload_step(struct master *m);

/* When reload_step() has something to do, clock_ms(). */
uint64_t reload_next(const struct master *m);

/* The service stops: end the reload, if there is one.  Workers that have left
 * are replaced. */
void reload_abandon(struct master *m);

/* The master has died, or the program that it has executed: the service goes on
 * as it was. */
void reload_drop(struct master *m);

#endif
