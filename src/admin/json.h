/* SPDX-License-Identifier: ISC */
/*
 * A writer of JSON (RFC 8259): it places commas, quotes and brackets.
 *
 * Nothing is kept but the brackets that are open, so a list may have millions
 * of items.  A key is NULL for an item of an array and for the outermost
 * value.  A write that fails is seen in the stream, ferror(3).
 */
#ifndef ECHOD_ADMIN_JSON_H
#define ECHOD_ADMIN_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 8

struct json {
	FILE *out; /* may be another one from one value to the next */
	unsigned depth;
	struct {
		char close;
		bool lines; /* each item begins a line */
		bool items; /* there is one */
	} open[JSON_DEPTH];
};

/* A writer with nothing open. */
struct json json_begin(FILE *out);

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);

/* An array whose items each have a line of their own. */
void json_lines(struct json *j, const char *key);

/* Close what was opened last.  A newline follows the outermost bracket. */
void json_close(struct json *j);

void json_string(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, uint64_t n);
void json_bool(struct json *j, const char *key, bool b);
void json_null(struct json *j, const char *key);

/* Thousandths, of seconds for one: 1.500. */
void json_milli(struct json *j, const char *key, uint64_t n);

#endif
