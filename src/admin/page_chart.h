/* SPDX-License-Identifier: ISC */
/*
 * Charts and numbers of the status page.
 */
#ifndef ECHOD_ADMIN_PAGE_CHART_H
#define ECHOD_ADMIN_PAGE_CHART_H

#include <stddef.h>
#include <stdio.h>

#include "shared/service.h"

enum series {
	SERIES_CONNECTIONS,
	SERIES_ACCEPTED,
	SERIES_ECHOES,
	SERIES_BYTES
};

/* A card with a number and its course over ten minutes at most.  `now` is the
 * number, -1: the series' last value; `of` what it can be at most, or NULL. */
void page_chart(const struct service_totals *t, enum series s,
    const char *title, double now, const char *of, FILE *out);

/* "12.3 kB": three digits or so, and `unit`. */
void page_short(char *text, size_t size, double n, const char *unit);

/* "12 345", with narrow blanks. */
void page_exact(char *text, size_t size, uint64_t n);

#endif
