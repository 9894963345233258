/* SPDX-License-Identifier: ISC */
/*
 * What `echoctl top` shows of the service and of each worker: one table.
 */
#ifndef ECHOD_CTL_RATES_H
#define ECHOD_CTL_RATES_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/sample.h"

/* A column: a figure now, or its change for each second. */
struct rates_column {
	const char *title; /* of text */
	int width;
	const char *member; /* of JSON */
	char key;	    /* sorts by it */
	const char *legend; /* of that key */
	bool per_second;
};

/* Indexed by enum figure. */
extern const struct rates_column rates_columns[FIGURES];

/* Column `f` of a row that was `then` and is `now`, `ms` later. */
double rates_value(const struct figures *now, const struct figures *then,
    enum figure f, uint64_t ms);

/* The same as text of the column's width: "12.3k". */
void rates_text(char *text, size_t size, const struct figures *now,
    const struct figures *then, enum figure f, uint64_t ms);

/* Write the columns' titles, or values, as a line has them. */
void rates_titles(char *line, size_t size);
void rates_values(char *line, size_t size, const struct figures *now,
    const struct figures *then, uint64_t ms);

#endif
