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
#include "master/master.h"

struct request {
	struct master *m;
	FILE *out; /* the answer, in memory */
	bool json;
	int words;
	char **word;		      /* of the line, without "json" */
	uid_t uid;		      /* who asks */
	struct connection_list *list; /* for an answer that has no end */
};

/* Carry out `line`, which is taken apart.  The answer is in `r->out`, or is
 * to be had from `r->list` if that has been begun. */
void commands_run(struct request *r, char *line);

/* The answer is an error. */
void commands_fail(const struct request *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
