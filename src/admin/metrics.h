/* SPDX-License-Identifier: ISC */
/*
 * The numbers of the service in Prometheus's text format.
 */
#ifndef ECHOD_ADMIN_METRICS_H
#define ECHOD_ADMIN_METRICS_H

#include <stdio.h>

#include "master/master.h"

/* Write all of them. */
void metrics_write(const struct master *m, FILE *out);

/* Take a sample for the charts if one is due. */
void metrics_sample(const struct master *m);

/* When metrics_sample() has something to do next, clock_ms(). */
uint64_t metrics_next(const struct master *m);

#endif
