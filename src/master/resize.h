/*
 * More workers, fewer workers, and slots whose connections siblings take over.
 */
#ifndef ECHOD_MASTER_RESIZE_H
#define ECHOD_MASTER_RESIZE_H

#include "master/master.h"

/* One worker more, as `who` asked (a signal's name, or another's); the reason
 * is logged if there cannot be one. */
void resize_grow(struct master *m, const char *who);

/* One worker fewer: its connections move to the others. */
void resize_shrink(struct master *m, const char *who);

/* Workers that are not on their way out. */
unsigned resize_staying(const struct master *m);

/* See to slots that have no worker for a while: a sibling is asked to take
 * their connections; where there is none, the slot's own next worker does. */
void resize_step(struct master *m);

#endif
