/* SPDX-License-Identifier: ISC */
/*
 * Files that root opens or makes, for itself or for the user it will be.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/safe_path.h"

/* How often what was there is gone, or the reverse, before we give up. */
#define TRIES 16

/* Root acts for another. */
static bool
safe_open_lends(const struct safe_owner *owner)
{
	return geteuid() == 0 && owner->uid != (uid_t)-1 && owner->uid != 0;
}

/* Only what is given away is looked at, and only what root alone can have put
 * where it is; what is there already with the right owner stays as it is. */
static int
safe_open_give(int fd, const struct safe_path *p,
    const struct safe_owner *owner)
{
	struct stat st, dir;

	if (!safe_open_lends(owner))
		return 0;
	if (fstat(fd, &st) == -1 || fstat(p->dir, &dir) == -1)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_uid == owner->uid)
		return 0;
	return fchown(fd, owner->uid,
	    (dir.st_mode & S_ISGID) != 0 ? (gid_t)-1 : owner->gid);
}

/* Root, for itself, in others' directories: a file that has another name,
 * too, may be one that matters under that. */
static int
safe_open_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_nlink == 1)
		return 0;
	errno = EMLINK;
	return -1;
}

/* A name nobody can change, or one that root must not follow: a new file, or
 * the one that is there. */
static int
safe_open_as_root(const struct safe_path *p, int flags, mode_t mode,
    const struct safe_owner *owner)
{
	int nofollow = p->kernels ? 0 : O_NOFOLLOW, fd = -1, r;

	for (int i = 0; fd == -1 && i < TRIES; i++) {
		if (!p->foreign || !safe_open_lends(owner)) {
			fd = openat(p->dir, p->name, flags | nofollow);
			if (fd != -1 || errno != ENOENT)
				break;
		}
		fd = openat(p->dir, p->name,
		    flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
		if (fd == -1 && errno != EEXIST)
			break;
		if (fd != -1) {
			r = safe_open_give(fd, p, owner);
			goto judged;
		}
	}
	if (fd == -1)
		return -1;
	r = p->foreign ? safe_open_check(fd) : safe_open_give(fd, p, owner);
judged:
	if (r == 0)
		return fd;
	close(fd);
	return -1;
}

/* With the rights of the one it is for, which may be ours. */
static int
safe_open_as_owner(const struct safe_path *p, int flags, mode_t mode,
    const struct safe_owner *owner)
{
	int fd = -1;

	if (safe_path_become(owner) == -1)
		return -1;
	for (int i = 0; i < TRIES; i++) {
		fd = openat(p->dir, p->name, flags);
		if (fd != -1 || errno != ENOENT)
			break;
		/* Nor O_EXCL: a link that leads nowhere yet is one, too. */
		fd = openat(p->dir, p->name, flags | O_CREAT, mode);
		if (fd != -1 || errno != EACCES)
			break;
		/* Made meanwhile, perhaps. */
		if (faccessat(p->dir, p->name, F_OK, AT_EACCESS) == -1) {
			errno = EACCES;
			break;
		}
	}
	safe_path_return();
	return fd;
}

int
safe_path_open(const char *path, int flags, mode_t mode,
    const struct safe_owner *owner)
{
	bool lends = safe_open_lends(owner);
	struct safe_path p;
	int fd, saved;

	flags |= O_CLOEXEC | O_NOCTTY;
	/* To another than root there is no other way than the kernel's. */
	if (geteuid() != 0) {
		fd = open(path, flags);
		if (fd != -1 || errno != ENOENT)
			return fd;
	}
	if (safe_path_walk(&p, path, owner, true) == -1)
		return -1;
	if (geteuid() != 0 || (p.foreign && lends))
		fd = safe_open_as_owner(&p, flags, mode, owner);
	else
		fd = safe_open_as_root(&p, flags, mode, owner);
	/* The directory is the one that was meant, such as a /var/log that a
	 * group can write: a new file in there, by its descriptor, harms
	 * nobody. */
	if (fd == -1 && errno == EACCES && p.border && lends) {
		fd = safe_open_as_root(&p, flags, mode, owner);
		if (fd == -1 && errno == EEXIST)
			errno = EACCES;
	}
	saved = errno;
	safe_path_leave(&p);
	errno = saved;
	return fd;
}
