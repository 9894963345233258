/* SPDX-License-Identifier: ISC */
/*
 * What the next program gets: the upgrade record and the descriptors that it
 * names.
 */
#ifndef ECHOD_MASTER_UPGRADE_HAND_OVER_H
#define ECHOD_MASTER_UPGRADE_HAND_OVER_H

#include <stdbool.h>

#include "master/master.h"

/* Write a record of the service as it is now.  Returns its descriptor,
 * close-on-exec, or -1 with errno set. */
int hand_over_write(const struct master *m);

/* Let the descriptors of slots and listeners survive an exec, or not.  Returns
 * 0, or -1 with errno set: one of them would not survive. */
int hand_over_keep(const struct arena *a, const struct service_state *s,
    bool keep);

/* The same for all descriptors that the next program gets, and `record`, or
 * -1. */
int hand_over_keep_all(const struct master *m, int record, bool keep);

/* No worker is left: execute the next program in place of this one.  Returns
 * only if that fails, with errno set and all as it was. */
void hand_over(struct master *m);

#endif
