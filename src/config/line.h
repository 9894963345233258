/* SPDX-License-Identifier: ISC */
/*
 * Parsing one line of a configuration, or one -o.
 */
#ifndef ECHOD_CONFIG_LINE_H
#define ECHOD_CONFIG_LINE_H

#include "config/config.h"

#define LINE_NAME_BYTES 64
/* This directive is not in the table: it has no value in struct config. */
#define LINE_INCLUDE "include"

enum line_kind {
	LINE_EMPTY,   /* blank, or a comment */
	LINE_IGNORED, /* a directive of Redis that has no effect here */
	LINE_OURS     /* a directive of the table, or `include` */
};

struct line {
	enum line_kind kind;
	char name[LINE_NAME_BYTES]; /* unless LINE_EMPTY; LINE_OURS: as in
				     * the table */
	const char *value;	    /* LINE_OURS: with its quotes */
	size_t length;		    /* of the value, without a comment */
};

/* Parse `text`, which is modified; `line` points into it.  Returns 0, or -1
 * with an error that begins with `where` in `e`. */
int line_parse(struct line *line, char *text, const char *where,
    struct config_error *e);

/* Parse "name=value" of -o: `name` has LINE_NAME_BYTES and becomes the name of
 * a directive, `value` has CONFIG_VALUE_BYTES.  Returns 0, or -1 with an error
 * in `e`. */
int line_parse_override(const char *assignment, char *name, char *value,
    struct config_error *e);

/* Format an error into `e`.  Returns -1. */
int line_fail(struct config_error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
