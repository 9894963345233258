/* SPDX-License-Identifier: ISC */
/*
 * More workers, fewer workers, and slots whose connections siblings take over.
 */
#ifndef ECHOD_MASTER_SCALING_H
#define ECHOD_MASTER_SCALING_H

#include "master/master.h"

/* One worker more, as `who` asked (a signal's name, or another's); the reason
 * is logged if there cannot be one. */
void scaling_grow(struct master *m, const char *who);

/* One worker fewer: its connections move to the others. */
void scaling_shrink(struct master *m, const char *who);

/* Workers that are not on their way out. */
unsigned scaling_staying(const struct master *m);

/* See to slots that have no worker for a while: a sibling is asked to take
 * their connections; where there is none, the slot's own next worker does. */
void scaling_step(struct master *m);

#endif
