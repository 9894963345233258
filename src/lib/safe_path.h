/* SPDX-License-Identifier: ISC */
/*
 * Paths that root follows, in directories that are not root's.
 *
 * Who can write a directory decides what its names mean, at any moment: root
 * that opens, makes, gives away, renames or removes something by such a name
 * does it to whatever a link or a rename has put there.  So root walks down
 * with descriptors, and follows links only where root alone can have made them.
 * From the first directory on in which somebody else can change a name, the
 * path is foreign, and what is done there is done with that user's rights.
 *
 * A process that is not root has no rights to lend: it follows paths as the
 * kernel does, and nothing is foreign to it.
 */
#ifndef ECHOD_LIB_SAFE_PATH_H
#define ECHOD_LIB_SAFE_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* For which user root acts; (uid_t)-1, (gid_t)-1: for itself. */
struct safe_owner {
	uid_t uid;
	gid_t gid;
};

/* A name, and the directory that it is in. */
struct safe_path {
	int dir;		 /* O_PATH */
	char name[NAME_MAX + 1]; /* no slash; not a link of root's */
	bool foreign;		 /* others can change what it means */
	bool border;		 /* it, but not what leads to it */
	bool kernels;		 /* a link of procfs, to be followed */
};

/*
 * Walk along the absolute `path` to the directory of its last name.  With
 * `make`, directories that are missing are made, mode 0755, for `owner`.
 * Returns 0, with p->dir to be closed by safe_path_leave(), or -1 with errno
 * set and nothing to close.
 */
int safe_path_walk(struct safe_path *p, const char *path,
    const struct safe_owner *owner, bool make);
void safe_path_leave(struct safe_path *p);

/*
 * From here on files are reached with the rights of `owner`, its groups
 * included, until safe_path_return(); does nothing if this is not root, or if
 * root acts for itself.  For what is done with a foreign name.  Not to be
 * nested.  Returns 0, or -1 with errno set and the rights as they were.
 */
int safe_path_become(const struct safe_owner *owner);
void safe_path_return(void);

/*
 * Open the file `path`, or make it, with its directories, if it is not there;
 * a new one is `owner`'s.  A regular file of another user's becomes `owner`'s,
 * but only where root alone can have put it.  What is there is opened without
 * O_CREAT: fs.protected_regular, proc_sys_fs(5), refuses it even to root.  In
 * a directory with the setgid bit the group is the directory's.  `flags` are
 * those of open(2); O_CLOEXEC and O_NOCTTY are added.  Returns a descriptor, or
 * -1 with errno set: ELOOP and EMLINK for links, symbolic or hard, that others
 * can have made and that root does not follow for itself.
 */
int safe_path_open(const char *path, int flags, mode_t mode,
    const struct safe_owner *owner);

#endif
