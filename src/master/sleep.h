/* SPDX-License-Identifier: ISC */
/*
 * The master's sleep.
 */
#ifndef ECHOD_MASTER_SLEEP_H
#define ECHOD_MASTER_SLEEP_H

#include "master/master.h"

/* Sleep until `wake`, clock_ms(), or until a signal, a worker, a child's end or
 * the administration process ends the sleep.  Children that have
 * ended are marked. */
void sleep_until(struct master *m, uint64_t wake);

#endif
