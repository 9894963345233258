/* SPDX-License-Identifier: ISC */
/*
 * Paths that root follows in directories of other users.
 *
 * A user who can write a directory can change what its names mean at any time.
 * If root opens, creates, renames, removes or gives away a file by such a name,
 * a symbolic link or a rename can direct that to any other file.  So root walks
 * down the path with descriptors, and follows a link only where only root can
 * have made it.  From the first directory on where another user can change a
 * name, the path is foreign, and root acts there with the rights of the owner
 * that the caller names.
 *
 * A process that is not root follows paths as the kernel does; nothing is
 * foreign to it.
 */
#ifndef ECHOD_LIB_SAFE_PATH_H
#define ECHOD_LIB_SAFE_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* The user for whom root acts; (uid_t)-1, (gid_t)-1: root itself. */
struct safe_owner {
	uid_t uid;
	gid_t gid;
};

/* A name and its directory. */
struct safe_path {
	int dir;		 /* O_PATH */
	char name[NAME_MAX + 1]; /* no slash; not a link of root */
	bool foreign;		 /* another user can change the name */
	bool border;		 /* the name, but none of the path before */
	bool kernels;		 /* a link of procfs, which is followed */
};

/*
 * Walk the absolute `path` to the directory of its last name.  With `make`,
 * create missing directories, mode 0755, for `owner`.  Returns 0, and the
 * caller must call safe_path_leave(); or -1 with errno set and nothing to
 * close.
 */
int safe_path_walk(struct safe_path *p, const char *path,
    const struct safe_owner *owner, bool make);
void safe_path_leave(struct safe_path *p);

/*
 * Take the rights of `owner`, including its groups, until safe_path_return():
 * for every operation with a foreign name.  Does nothing if this process is not
 * root, or if root acts for itself.  Calls must not nest.  Returns 0, or -1
 * with errno set and the rights unchanged.
 */
int safe_path_become(const struct safe_owner *owner);
void safe_path_return(void);

/*
 * Open the file `path`.  If it does not exist, create it and its directories
 * for `owner`.  A regular file of another user becomes `owner`'s, but only
 * where only root can have put it.  In a directory with the setgid bit the
 * group is that of the directory.  An existing file is opened without O_CREAT,
 * because fs.protected_regular (proc_sys_fs(5)) forbids O_CREAT even to root.
 * `flags` are those of open(2); O_CLOEXEC and O_NOCTTY are added.  Returns a
 * descriptor, or -1 with errno set: ELOOP or EMLINK for a symbolic or hard link
 * that another user can have made and that root does not follow for itself.
 */
int safe_path_open(const char *path, int flags, mode_t mode,
    const struct safe_owner *owner);

#endif
