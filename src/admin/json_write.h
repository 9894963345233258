/* SPDX-License-Identifier: ISC */
/*
 * A writer of JSON (RFC 8259): it places commas, quotes and brackets.
 *
 * Nothing is kept but the brackets that are open, so a list may have millions
 * of items.  A key is NULL for an item of an array and for the outermost
 * value.  A write that fails is seen in the stream, ferror(3).  The names leave
 * json_object() and the like to jansson, which echoctl is linked with.
 */
#ifndef ECHOD_ADMIN_JSON_WRITE_H
#define ECHOD_ADMIN_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 8

struct json_writer {
	FILE *out; /* may be another one from one value to the next */
	unsigned depth;
	struct {
		char close;
		bool lines; /* each item begins a line */
		bool items; /* there is one */
	} open[JSON_DEPTH];
};

/* A writer with nothing open. */
struct json_writer json_write_begin(FILE *out);

void json_write_object(struct json_writer *j, const char *key);
void json_write_array(struct json_writer *j, const char *key);

/* An array whose items each have a line of their own. */
void json_write_lines(struct json_writer *j, const char *key);

/* Close what was opened last.  A newline follows the outermost bracket. */
void json_write_close(struct json_writer *j);

void json_write_string(struct json_writer *j, const char *key,
    const char *text);
void json_write_number(struct json_writer *j, const char *key, uint64_t n);
void json_write_bool(struct json_writer *j, const char *key, bool b);
void json_write_null(struct json_writer *j, const char *key);

/* Thousandths, of seconds for one: 1.500. */
void json_write_milli(struct json_writer *j, const char *key, uint64_t n);

#endif
