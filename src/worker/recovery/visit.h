/* SPDX-License-Identifier: ISC */
/*
 * A visit to a record before its first use by a new worker.
 */
#ifndef ECHOD_WORKER_RECOVERY_VISIT_H
#define ECHOD_WORKER_RECOVERY_VISIT_H

#include "worker/worker.h"

/*
 * The record of a connection of this slot is to be used: visit it, unless that
 * was done.  Returns false if the connection has ended by that.
 */
static inline bool
visit_record(struct worker *w, int fd)
{
	return slices_is_visited(&w->slices, fd) || w->visit(w, fd);
}

/* arena_next() for this worker's slot, with a visit. */
int visit_next(struct worker *w, int fd);

#endif
