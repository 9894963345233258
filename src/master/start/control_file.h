/* SPDX-License-Identifier: ISC */
/*
 * The file of the control socket: made, found again and removed.  Root can do
 * so safely in a directory of another user.
 */
#ifndef ECHOD_MASTER_START_CONTROL_FILE_H
#define ECHOD_MASTER_START_CONTROL_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/config.h"
#include "lib/safe_path.h"
#include "master/start/privileges.h"

struct control_file {
	char path[CONFIG_CONTROL_PATH + 1]; /* "": we have none */
	dev_t device;
	ino_t inode;
	struct safe_owner owner; /* that it was made for */
};

#define CONTROL_FILE_NONE \
	{ \
		"", 0, 0, \
		{ \
			(uid_t) - 1, (gid_t)-1 \
		} \
	}

/* True if `owner` may take the path: there is no file, or a socket on which no
 * process listens.  Sets errno if not. */
bool control_file_is_free(const char *path, const struct safe_owner *owner);

/* Make the socket that `c` wants, for `id`.  Returns the listener, or -1 with
 * errno set and no file left. */
int control_file_make(struct control_file *f, const struct config *c,
    const struct identity *id);

/* Take the socket that is at `path`.  Returns 0, or -1 with errno set; `f` has
 * the path in any case. */
int control_file_adopt(struct control_file *f, const char *path);

/* Change its mode.  Returns 0, or -1 with errno set. */
int control_file_chmod(const struct control_file *f, mode_t mode);

/* Remove the file, if it is still ours and that is permitted. */
void control_file_remove(const struct control_file *f);

#endif
