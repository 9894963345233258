/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets for administrators, control and metrics: opened, handed
 * from program to program, and closed.
 */
#ifndef ECHOD_MASTER_START_ADMIN_SOCKETS_H
#define ECHOD_MASTER_START_ADMIN_SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "config/config.h"
#include "master/start/control_file.h"
#include "master/start/privileges.h"

struct admin_sockets {
	int control;		  /* AF_UNIX; -1: none */
	int metrics;		  /* TCP; -1: none */
	struct control_file file; /* of `control` */
};

#define ADMIN_SOCKETS_NONE \
	{ \
		-1, -1, CONTROL_FILE_NONE \
	}

/*
 * Open the sockets that `c` wants.  A socket that `old`, configured by `was`,
 * has already stays as it is (`old` is NULL: none).  The control socket's file
 * gets the owner `id`.  Returns 0, or -1 with the reason logged and nothing
 * opened.
 */
int admin_sockets_open(struct admin_sockets *s, const struct config *c,
    const struct identity *id, const struct admin_sockets *old,
    const struct config *was);

/*
 * Test whether this process could open the sockets that `c` wants, beside
 * those of a service that is configured by `was`.  If `was` is NULL, the test
 * is for a start: a socket in use is no error then, since the service itself
 * may use it.  Returns 0, or -1 with a reason in `why`.
 */
int admin_sockets_check(const struct config *c, const struct config *was,
    char *why, size_t size);

/* Close the sockets that `s` has and `other` lacks (NULL: it has none).  The
 * control socket's file is removed if it is ours and that is permitted. */
void admin_sockets_close(struct admin_sockets *s,
    const struct admin_sockets *other);

/* Let the listeners survive an exec, or not.  Returns 0, or -1 with errno
 * set. */
int admin_sockets_keep(const struct admin_sockets *s, bool keep);

#endif
