/* SPDX-License-Identifier: ISC */
/*
 * The epoll(7) instances of the master and of the slots.
 */
#ifndef ECHOD_MASTER_INSTANCES_H
#define ECHOD_MASTER_INSTANCES_H

#include "master/master.h"

/* Make one, close-on-exec.  Returns its descriptor, or -1 with errno set. */
int instances_make(const struct master *m);

/* True if `fd` is the number of one that there is, or was. */
bool instances_have(const struct master *m, int fd);

#endif
