/* SPDX-License-Identifier: ISC */
/*
 * The master's own copy of what it alone decides: struct service_state.
 */
#ifndef ECHOD_SHARED_SERVICE_H
#define ECHOD_SHARED_SERVICE_H

#include "shared/arena.h"

/* Make a->service, as the arena has it now.  Returns 0, or -1 if memory is
 * short. */
int service_make(struct arena *a);

#endif
