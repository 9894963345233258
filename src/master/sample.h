/* SPDX-License-Identifier: ISC */
/*
 * Samples of the counters, taken now and then for charts.
 */
#ifndef ECHOD_MASTER_SAMPLE_H
#define ECHOD_MASTER_SAMPLE_H

#include "master/master.h"

/* Take a sample into the service state, if it is time to. */
void sample_step(const struct master *m);

/* When the next one is due, clock_ms(). */
uint64_t sample_next(const struct master *m);

#endif
