/* SPDX-License-Identifier: ISC */
/*
 * One line of a configuration.
 */
#ifndef ECHOD_CONFIG_LINE_H
#define ECHOD_CONFIG_LINE_H

#include "config/config.h"

#define LINE_NAME_BYTES 64
/* The directive that is no row of the table: it has no value of its own. */
#define LINE_INCLUDE "include"

enum line_kind {
	LINE_EMPTY,   /* blank, or a comment */
	LINE_IGNORED, /* a directive of Redis that means nothing here */
	LINE_OURS     /* one of the table, or `include` */
};

struct line {
	enum line_kind kind;
	char name[LINE_NAME_BYTES]; /* not for LINE_EMPTY; as in the table
					 * for LINE_OURS */
	const char *value;	    /* with its quotes */
	size_t length;		    /* of the value, without a comment */
};

/* Take `text` apart, which is changed by that; `where` begins the message in
 * `e`.  Returns 0, or -1 if it is no line of a configuration. */
int line_parse(struct line *line, char *text, const char *where,
    struct config_error *e);

/* Store an error.  Returns -1. */
int line_fail(struct config_error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
