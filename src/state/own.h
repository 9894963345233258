/*
 * The master's own copy of what it alone decides: struct arena_own.
 */
#ifndef ECHOD_STATE_OWN_H
#define ECHOD_STATE_OWN_H

#include "state/arena.h"

/* Make a->own, as the arena has it now.  Returns 0, or -1 if memory is
 * short. */
int own_make(struct arena *a);

#endif
