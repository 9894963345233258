/* SPDX-License-Identifier: ISC */
/*
 * Files that only the administrator can have put where they are: code is loaded
 * from no other.
 */
#ifndef ECHOD_LIB_TRUSTED_PATH_H
#define ECHOD_LIB_TRUSTED_PATH_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Open the regular file with the absolute `path` for reading.  The file, each
 * directory on the way to it and each symbolic link belong to root or to the
 * user `also`, and no other user can write to them or replace them.  In a
 * directory of root with the sticky bit (/tmp) others cannot replace what is
 * not theirs.  Returns a descriptor, close-on-exec, or -1 with a reason in
 * `why`, which names what is wrong.
 */
int trusted_path_open(const char *path, uid_t also, char *why, size_t size);

#endif
