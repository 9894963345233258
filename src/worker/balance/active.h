/* SPDX-License-Identifier: ISC */
/*
 * The hot connections: those that have something to do now and then, as
 * opposed to the many that are silent.  What the slots share evenly is these.
 */
#ifndef ECHOD_WORKER_BALANCE_ACTIVE_H
#define ECHOD_WORKER_BALANCE_ACTIVE_H

#include "worker/worker.h"

/* `fd` has something to do: it is hot from now on.  Returns false if it was
 * before. */
bool active_touch(struct worker *w, int fd);

/* It is so no longer; no effect if it was not. */
void active_remove(struct worker *w, int fd);

/* One round of the loop is over.  Now and then, those that had nothing to do
 * for many rounds cool down, and the pages of their windows are given back. */
void active_round(struct worker *w);

#endif
