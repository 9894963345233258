/* SPDX-License-Identifier: ISC */
/*
 * Samples of the counters at regular times, for charts.
 */
#ifndef ECHOD_MASTER_SAMPLE_H
#define ECHOD_MASTER_SAMPLE_H

#include <stdint.h>

#include "config/config.h"
#include "shared/service.h"

/* Store a sample in the service state, if one is due. */
void sample_step(const struct config *c, const struct arena *a,
    struct service_state *s);

/* When the next sample is due, clock_ms(); CLOCK_NEVER without metrics-port. */
uint64_t sample_next(const struct config *c, const struct service_state *s);

#endif
