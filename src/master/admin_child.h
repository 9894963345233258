/* SPDX-License-Identifier: ISC */
/*
 * The administration process, as the master's child: there is always one, and
 * never two.  Nothing else waits for it.
 */
#ifndef ECHOD_MASTER_ADMIN_CHILD_H
#define ECHOD_MASTER_ADMIN_CHILD_H

#include "master/master.h"
#include "master/upgrade/record.h"

/* No administration process, and no descriptor of one. */
void admin_child_init(struct master *m);

/* Open its program, if there is to be one; `checked`: a check of a reload has
 * found it good.  Returns 0, or -1 with the reason logged. */
int admin_child_open(struct master *m, bool checked);

/* Start it, if there is to be one. */
void admin_child_begin(struct master *m);

/* The one that the program before has started. */
void admin_child_inherit(struct master *m, const struct upgrade_record *t);

/* Replace it by one of this program: it is told to finish. */
void admin_child_replace(struct master *m);

/* Do what is due: carry out requests, start the next one.  admin_child_next()
 * is when there is something to do at the latest, clock_ms(). */
void admin_child_step(struct master *m);
uint64_t admin_child_next(const struct master *m);

/* The service has stopped: it ends, soon. */
void admin_child_end(struct master *m);

/* The administration process was the child of a master that is gone, and ends:
 * the next one is due. */
void admin_child_take_up(struct master *m);

#endif
