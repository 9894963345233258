/* SPDX-License-Identifier: ISC */
/*
 * Keeping the slots even.
 */
#ifndef ECHOD_WORKER_BALANCE_BALANCE_H
#define ECHOD_WORKER_BALANCE_BALANCE_H

#include "worker/worker.h"

/* If this slot has two or more connections (hot ones first) more than another,
 * give half the difference away; if it has fewer, ask for some.  If the slots
 * are even but this one serves its clients less than another does, change some
 * with it. */
void balance(struct worker *w);

#endif
