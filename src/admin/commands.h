/* SPDX-License-Identifier: ISC */
/*
 * What can be asked of the control socket.
 */
#ifndef ECHOD_ADMIN_COMMANDS_H
#define ECHOD_ADMIN_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "admin/connections.h"
#include "admin/view.h"
#include "shared/request.h"

struct command_request {
	const struct view *view;
	FILE *out; /* the answer, in memory */
	bool json, framed;
	int words;
	char **word; /* those of the line, while a command runs */
	uid_t uid;   /* who asks */
	struct connection_list *list; /* for an answer that has no end */
	/* If the answer is the master's: the number of the request it was
	 * asked by.  And if a connection is to go, which. */
	uint32_t sequence;
	enum request_kind asked;
	struct connection_name closing;
};

/* Carry out `line`, which is taken apart.  The answer is in `r->out`, or is
 * to be had from `r->list` if that has been begun; or the master has been
 * asked. */
void commands_run(struct command_request *r, char *line);

/* The answer is this. */
void commands_fail(const struct command_request *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void commands_succeed(const struct command_request *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
