/* SPDX-License-Identifier: ISC */
/*
 * Replacing the workers of a former master.
 */
#ifndef ECHOD_STANDBY_REPLACE_H
#define ECHOD_STANDBY_REPLACE_H

#include "master/master.h"

/* Ask the next worker to leave, if the one before has been replaced. */
void replace_step(struct master *m);

/* When replace_step() has something to do, clock_ms(). */
uint64_t replace_next(const struct master *m);

#endif
