/* SPDX-License-Identifier: ISC */
/*
 * The arguments of echoctl, and its exit statuses.
 */
#ifndef ECHOD_CTL_ARGUMENTS_H
#define ECHOD_CTL_ARGUMENTS_H

#include <stdbool.h>

enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2
};

/* What an administrator has asked for. */
struct arguments {
	const char *path; /* of the control socket */
	bool json;
	unsigned rounds;     /* of top; 0: without end */
	const char *sort;    /* a key of connections, or NULL */
	const char *worker;  /* only its connections, or NULL */
	const char *peer;    /* only those that begin so, or NULL */
	const char *service; /* only its clients, or NULL */
	int words;
	char **word; /* the command, and its arguments */
};

#endif
