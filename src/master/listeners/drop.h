/* SPDX-License-Identifier: ISC */
/*
 * Listeners that a reload has dropped: workers accept the clients that wait in
 * their queues, then they are closed.
 */
#ifndef ECHOD_MASTER_LISTENERS_DROP_H
#define ECHOD_MASTER_LISTENERS_DROP_H

#include <stdint.h>

#include "shared/service.h"

struct drop_progress {
	unsigned asks; /* times that workers were asked so far */
	uint64_t at;   /* clock_ms(): ask again, or close */
};

/* The next program has taken over: if listeners were dropped, begin. */
void drop_begin(struct drop_progress *d, const struct arena *a,
    struct service_state *s);

/* Ask again or close, if that is due. */
void drop_step(struct drop_progress *d, const struct arena *a,
    struct service_state *s);

/* When drop_step() has something to do, clock_ms(). */
uint64_t drop_next(const struct drop_progress *d,
    const struct service_state *s);

#endif
