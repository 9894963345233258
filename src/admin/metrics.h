/* SPDX-License-Identifier: ISC */
/*
 * The numbers of the service in Prometheus's text format.
 */
#ifndef ECHOD_ADMIN_METRICS_H
#define ECHOD_ADMIN_METRICS_H

#include <stdio.h>

#include "admin/view.h"

/* Write all of them. */
void metrics_write(const struct view *v, FILE *out);

#endif
