/* SPDX-License-Identifier: ISC */
/*
 * Sums over the slots of the arena.
 */
#ifndef ECHOD_SHARED_TOTALS_H
#define ECHOD_SHARED_TOTALS_H

#include "shared/service.h"

/* The counters of all slots together. */
struct totals {
	uint64_t connections;
	SLOT_COUNTERS(COUNTER_MEMBER)
	uint64_t closed[CLOSE_REASONS];
	uint64_t deaths;
	unsigned ready; /* workers that serve */
};

void totals_sum(const struct arena *a, const struct service_state *s,
    struct totals *c);

/* The counters of the service with that number: `deaths` and `ready` are of no
 * service, and are 0; so is `connections`. */
void totals_sum_service(const struct arena *a, const struct service_state *s,
    unsigned number, struct totals *c);

/* Connections now, of each service by its number.  It looks at a byte of each
 * descriptor. */
void totals_connections(const struct arena *a, uint64_t n[SERVICE_NUMBERS]);

/* A service gets this number, which another service has had: it begins to count
 * at 0.  The counts of the other one go on in the sums of all services.  No
 * connection has the number. */
void totals_begin_service(const struct arena *a, const struct service_state *s,
    unsigned number);

#endif
