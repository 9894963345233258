/* SPDX-License-Identifier: ISC */
/*
 * A stop: one deadline for everything, and a summary at the end.  stop_state.h
 * draws its phases.
 */
#ifndef ECHOD_MASTER_STOP_H
#define ECHOD_MASTER_STOP_H

#include "master/master.h"

/* Take a recorded signal that asks for a stop.  Returns it, or 0. */
int stop_asked(void);

/* A stop is asked for; `source` is a signal's name or another source for the
 * log. A second request means: now. */
void stop_request(struct master *m, const char *source);

/* Do what is due: tell the workers when the delay is over, kill those that are
 * left at the deadline.  Returns true when no worker is left. */
bool stop_step(struct master *m);

/* When stop_step() has something to do, clock_ms(). */
uint64_t stop_next(const struct master *m);

/* Log the summary.  Returns the exit status that follows from it. */
int stop_summary(const struct master *m);

/* A stop that a former master has begun goes on. */
void stop_take_up(struct master *m);

#endif
