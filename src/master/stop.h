/* SPDX-License-Identifier: ISC */
/*
 * The stop: one deadline for everything, and a receipt at the end.
 */
#ifndef ECHOD_MASTER_STOP_H
#define ECHOD_MASTER_STOP_H

#include "master/master.h"

/* A signal that asks for a stop and was recorded, or 0.  It is taken. */
int stop_asked(void);

/* Somebody asked to stop: a signal by its name, or whoever `who` says; a
 * second request means now. */
void stop_request(struct master *m, const char *who);

/* Carry the stop on: relay it when its delay is over, kill who is left at the
 * deadline.  Returns true when every worker is gone. */
bool stop_step(struct master *m);

/* When stop_step() has something to do next, clock_ms(). */
uint64_t stop_next(const struct master *m);

/* Log the receipt; returns the exit status it amounts to. */
int stop_summary(const struct master *m);

#endif
