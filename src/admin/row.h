/* SPDX-License-Identifier: ISC */
/*
 * A row of named values, made once and written as JSON, as a line of a list or
 * as text of the status page.
 */
#ifndef ECHOD_ADMIN_ROW_H
#define ECHOD_ADMIN_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "admin/json_write.h"

#define ROW_VALUES 32

enum row_kind {
	ROW_NUMBER,
	ROW_MILLI, /* thousandths: of seconds, mostly */
	ROW_TEXT,  /* `text`, which lives as long as the row */
	ROW_FLAG,
	ROW_NONE /* not known: null */
};

struct row_value {
	const char *key; /* in JSON; in capitals, the head of a column */
	enum row_kind kind;
	int width; /* of the column, negative: flushed left; 0: none */
	uint64_t number;
	const char *text;
};

struct row {
	unsigned values;
	struct row_value value[ROW_VALUES];
};

/* Add a value behind the others. */
void row_add(struct row *r, const char *key, enum row_kind kind, int width,
    uint64_t n);
void row_number(struct row *r, const char *key, int width, uint64_t n);
void row_text(struct row *r, const char *key, int width, const char *text);

/* The value with the key of that length; NULL: there is none. */
const struct row_value *row_find(const struct row *r, const char *key,
    size_t length);

/* Write the values as members of the object that is open. */
void row_members(const struct row *r, struct json_writer *j);

/* Write the values as an object. */
void row_object(const struct row *r, struct json_writer *j, const char *key);

/* Write the heads of columns, and a line of them. */
void row_heads(const struct row *r, FILE *out);
void row_line(const struct row *r, FILE *out);

#endif
