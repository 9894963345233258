/* SPDX-License-Identifier: ISC */
/*
 * The master's own listening sockets, for control and for metrics: opened,
 * handed from image to image, and closed.
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
 * Have what `c` wants.  What `old` has of it already (NULL: nothing), as
 * configured by `was`, stays as it is; the rest is opened, as `id` for a file.
 * Returns 0, or -1 with the reason logged and nothing opened.
 */
int admin_sockets_open(struct admin_sockets *s, const struct config *c,
    const struct identity *id, const struct admin_sockets *old,
    const struct config *was);

/*
 * Whether the control socket's path and the address of the metrics can be had
 * by a process that may do what this one may, beside what a service configured
 * by `was` has already.  `was` NULL: for a start; what is in use is no error
 * then, since that may be by the service itself.  Returns 0, or -1 with a
 * reason in `why`.
 */
int admin_sockets_check(const struct config *c, const struct config *was,
    char *why, size_t size);

/* Close what `s` has and `other` (NULL: nothing) has not; a socket's file is
 * removed if it is still the one we made and that is permitted. */
void admin_sockets_close(struct admin_sockets *s,
    const struct admin_sockets *other);

/* Let the listeners survive an exec, or not.  Returns 0, or -1 with errno
 * set. */
int admin_sockets_keep(const struct admin_sockets *s, bool keep);

#endif
