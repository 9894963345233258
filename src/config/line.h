/* SPDX-License-Identifier: ISC */
/*
 * Parsing one line of a configuration, or one -o.
 */
#ifndef ECHOD_CONFIG_LINE_H
#define ECHOD_CONFIG_LINE_H

#include "config/directive.h"

/* -o service.NAME.DIRECTIVE=VALUE */
#define LINE_SERVICE "service."

enum line_kind {
	LINE_EMPTY,   /* blank, or a comment */
	LINE_IGNORED, /* a directive of Redis that has no effect here */
	LINE_OURS,    /* a directive of the table, or `include` */
	LINE_OPTION,  /* handler.NAME */
	LINE_SECTION  /* [service NAME] */
};

struct line {
	enum line_kind kind;
	/* Unless LINE_EMPTY.  LINE_OURS: as in the table; LINE_OPTION: of the
	 * option; LINE_SECTION: of the service. */
	char name[DIRECTIVE_NAME_BYTES + sizeof("handler.")];
	const char *value; /* LINE_OURS, LINE_OPTION: with its quotes */
	size_t length;	   /* of the value, without a comment */
};

/* Parse `text`, which is modified; `line` points into it.  A section has no
 * directives but those that each service has.  Returns 0, or -1 with an error
 * that begins with `where` in `e`. */
int line_parse(struct line *line, char *text, bool section, const char *where,
    struct config_error *e);

/* An assignment of -o. */
struct line_override {
	/* Whose value it is: a service of `c`, or NULL for the top. */
	const struct service_config *service;
	const struct directive *directive; /* NULL: an option of the handler */
	char name[DIRECTIVE_NAME_BYTES + sizeof("handler.")];
	char value[CONFIG_VALUE_BYTES];
};

/* Parse "NAME=VALUE" or "service.SERVICE.NAME=VALUE".  Returns 0, or -1 with an
 * error in `e`. */
int line_parse_override(struct line_override *o, const struct config *c,
    const char *assignment, struct config_error *e);

/* Format an error into `e`.  Returns -1. */
int line_fail(struct config_error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
