/* SPDX-License-Identifier: ISC */
/*
 * Making processes that share the table of descriptors.
 */
#ifndef ECHOD_MASTER_CLONE_H
#define ECHOD_MASTER_CLONE_H

#include "master/master.h"

/*
 * fork(2), but parent and child share one descriptor table: if the child dies,
 * nothing is closed.  The child is what `intent` (enum clone_intent) says, and
 * stands in its seat or slot with pid and pidfd afterwards.  Returns its pid, 0
 * in the child, or -1 with errno set.
 */
pid_t clone_process(struct master *m, uint32_t intent);

/* The master before died while it made a process: finish that. */
void clone_finish(struct master *m);

#endif
