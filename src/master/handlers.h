/* SPDX-License-Identifier: ISC */
/*
 * The handlers of the services: which there are, over starts and reloads, and
 * when those that nobody needs any more are given up.
 */
#ifndef ECHOD_MASTER_HANDLERS_H
#define ECHOD_MASTER_HANDLERS_H

#include "handler/image.h"
#include "master/master.h"

/*
 * Change `t` to the table after a reload into `image`.  The entries of `used`,
 * a set of handler_table_bit(), have connections.  Removed services drain until
 * `deadline`.  Entries that are new have no descriptors yet.  Returns 0, or -1
 * with a reason in `why`, if connections cannot go on with what they have.
 */
int handlers_plan(struct handler_table *t, const struct image *image,
    const struct image_request *r, uint64_t used, uint64_t deadline, char *why,
    size_t size);

/*
 * Load and configure the handlers of `c` in a child, which fills in `memfd`,
 * and see that they can follow those of the program that runs, if there is
 * one.  Returns 0, or -1 with a reason in `why`.
 */
int handlers_check(int memfd, const struct config *c,
    const struct service_state *before, char *why, size_t size);

/*
 * Make m->handlers of what handlers_check() has left in `memfd`, and open
 * files and data.  A file is the one that the child could open with the rights
 * of the service.  Those of the program before are still open.  Returns 0, or
 * -1 with a reason in `why`; then descriptors that are new are close-on-exec.
 */
int handlers_open(struct master *m, int memfd, char *why, size_t size);

/* The same for a program that got the service back. */
void handlers_resume(struct master *m);

/* There is no way back: close what m->handlers has not, and tell others of the
 * table. */
void handlers_commit(struct master *m);

/* The entries that connections have, as a set of handler_table_bit(). */
uint64_t handlers_used(const struct arena *a);

/* Let the descriptors of `t` survive an exec, or not.  Returns 0, or -1. */
int handlers_keep(const struct handler_table *t, bool keep);

/* Give up removed services that have no connections any more, and files that a
 * worker had open when it died. */
void handlers_step(struct master *m);

/* When handlers_step() has something to do, clock_ms(). */
uint64_t handlers_next(const struct master *m);

#endif
