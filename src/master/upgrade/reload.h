/* SPDX-License-Identifier: ISC */
/*
 * Reload: the program on disk is checked with the configuration on disk, the
 * workers leave between two operations, and the program is executed in this
 * one's place.
 */
#ifndef ECHOD_MASTER_UPGRADE_RELOAD_H
#define ECHOD_MASTER_UPGRADE_RELOAD_H

#include "master/master.h"

/* A signal, or whoever `who` says, asked for it.  While one is under way the next is kept for after
 * it; during a stop there is none. */
void reload_request(struct master *m, const char *who);

/* The same, and `asker` wants to be told what came of it: outcome.h.  False if
 * that cannot be; one that asked by a signal has been told why. */
bool reload_request_by(struct master *m, const char *who, int asker);

/* Tell those that asked, and forget them. */
void reload_tell_outcome(const struct master *m, struct outcome *o, bool done,
    const char *text);

/* Tell the service manager that it has begun. */
void reload_tell_begun(void);

/* It is over: tell the service manager and those who asked.  `failed` is NULL,
 * or "refused" or "failed", and the reason is that of the totals. */
void reload_tell(struct master *m, const char *failed);

/* Do what is due.  Does not return if the next image takes over. */
void reload_step(struct master *m);

/* When reload_step() has something to do next, clock_ms(). */
uint64_t reload_next(const struct master *m);

/* There is none any more, since the service stops.  Workers that have left
 * already are replaced. */
void reload_abandon(struct master *m);

#endif
