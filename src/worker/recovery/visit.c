/* SPDX-License-Identifier: ISC */
/*
 * The connections of a worker, each visited.
 */
#include "worker/recovery/visit.h"

int
visit_next(struct worker *w, int fd)
{
	while ((fd = arena_next(w->arena, w->number, fd)) != -1 &&
	    !visit_record(w, fd))
		fd++;
	return fd;
}
