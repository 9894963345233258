/* SPDX-License-Identifier: ISC */
/*
 * The standby: a process that takes the master's place if the master dies.
 *
 * The master clones it with the table of descriptors.  It sleeps with all
 * signals blocked until the master is gone.  Then it returns from the function
 * that has made it, as the master: with the same memory, but for what the
 * program keeps outside struct master and the service state.
 */
#ifndef ECHOD_STANDBY_STANDBY_H
#define ECHOD_STANDBY_STANDBY_H

#include "master/master.h"

/* Make the standby, if there is to be one.  Returns false in the master.
 * Returns true in a standby that has become the master, later; workers may
 * serve by then. */
bool standby_make(struct master *m);

/* Make the next standby, if one is due, and replace the workers of a former
 * master.  Returns as standby_make() does. */
bool standby_step(struct master *m);

/* When standby_step() has something to do, clock_ms(). */
uint64_t standby_next(const struct master *m);

/* The service ends: end the standby, and make no other one. */
void standby_end(struct master *m);

/* After an exec: the program before has left the standby `pid` (0: none), for
 * the handover `number` (arena.h). */
void standby_inherit(struct master *m, pid_t pid, uint64_t number);

/* This program needs it no more: end it, and wait for its end. */
void standby_end_before(struct master *m);

#endif
