/* SPDX-License-Identifier: ISC */
/*
 * The file of the control socket: made, found again and removed, also by root
 * in a directory that is not root's.
 */
#ifndef ECHOD_MASTER_START_CONTROL_FILE_H
#define ECHOD_MASTER_START_CONTROL_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/config.h"
#include "lib/safe_path.h"
#include "master/start/privileges.h"

struct control_file {
	char path[CONFIG_CONTROL_PATH + 1]; /* "": there is none of ours */
	dev_t device;
	ino_t inode;
	struct safe_owner owner; /* for whom it was made */
};

#define CONTROL_FILE_NONE \
	{ \
		"", 0, 0, \
		{ \
			(uid_t) - 1, (gid_t)-1 \
		} \
	}

/* Whether the path may be taken by `owner`: there is nothing, or a socket that
 * nobody listens on.  Sets errno if not. */
bool control_file_is_free(const char *path, const struct safe_owner *owner);

/* Make what `c` wants, for `id`.  Returns the listener, or -1 with errno set
 * and no file left. */
int control_file_make(struct control_file *f, const struct config *c,
    const struct identity *id);

/* Have the socket that there is at `path`.  Returns 0, or -1 with errno set;
 * the path is known in any case. */
int control_file_adopt(struct control_file *f, const char *path);

/* Returns 0, or -1 with errno set. */
int control_file_chmod(const struct control_file *f, mode_t mode);

/* Remove it, if it is still there and that is permitted. */
void control_file_remove(const struct control_file *f);

#endif
