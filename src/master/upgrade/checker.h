/* SPDX-License-Identifier: ISC */
/*
 * The check of a reload: a child process that runs the program on disk with -t
 * on the configuration on disk.
 */
#ifndef ECHOD_MASTER_UPGRADE_CHECKER_H
#define ECHOD_MASTER_UPGRADE_CHECKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "shared/service.h"

struct checker {
	pid_t pid;  /* 0: it has ended, or never ran */
	int pidfd;  /* 0: none */
	int status; /* of wait(2), once it has ended */
	int record; /* the upgrade record, a memfd; -1: none */
	int output; /* the child's output, a memfd; -1: none */
	int image;  /* of its handlers, a memfd; -1: none */
};

#define CHECKER_NONE \
	{ \
		.record = -1, .output = -1, .image = -1 \
	}

/*
 * Run the program in the descriptor `executable`, with the upgrade record
 * `record` and the memfd `image` for its handlers, which the checker owns from
 * now on; it may read the service state in `state`.  Until checker_end() the
 * check may bind to the service's ports.  Returns NULL, or the name of what
 * failed, with errno set and nothing left.
 */
const char *checker_begin(struct checker *c, int executable, int record,
    int image, int state, const struct arena *a, const struct service_state *s);

/* Its process has ended with `status` and has been reaped. */
void checker_ended(struct checker *c, int status);

/* Store the last line that the check has written, without the program's name;
 * "" if it has written nothing. */
void checker_said(const struct checker *c, char *line, size_t size);

/* Kill the process, if it runs, and close all that belongs to the check. */
void checker_end(struct checker *c, const struct arena *a,
    const struct service_state *s);

#endif
