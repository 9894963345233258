/* SPDX-License-Identifier: ISC */
/*
 * Paths that root follows in directories of other users, and files that it
 * opens or creates there, for itself or for the user that it will become.
 */
#include "lib/safe_path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bsd/string.h>

/* The kernel follows as many, path_resolution(7). */
#define LINKS_MAX 40
/* How often a file may appear or disappear under us before we give up. */
#define TRIES 16

struct walk {
	struct safe_path *at;
	const struct safe_owner *owner;
	bool make;
	bool shared; /* sticky: other users have names in it, too */
	bool acting; /* with the rights of the owner */
	unsigned links;
	char rest[PATH_MAX]; /* the part that is not walked yet */
};

static struct {
	bool active;
	gid_t gid;
	gid_t group[NGROUPS_MAX];
	int groups;
} before;

int
safe_path_become(const struct safe_owner *owner)
{
	const struct passwd *pw;
	int r, saved;

	if (geteuid() != 0 || owner->uid == (uid_t)-1 || owner->uid == 0)
		return 0;
	before.gid = getegid();
	before.groups = getgroups(NGROUPS_MAX, before.group);
	if (before.groups == -1)
		return -1;
	pw = getpwuid(owner->uid);
	r = pw != NULL ? initgroups(pw->pw_name, owner->gid)
		       : setgroups(1, &owner->gid);
	if (r == -1)
		return -1;
	before.active = true;
	if (setresgid((gid_t)-1, owner->gid, (gid_t)-1) == 0 &&
	    setresuid((uid_t)-1, owner->uid, (uid_t)-1) == 0)
		return 0;
	saved = errno;
	safe_path_return();
	errno = saved;
	return -1;
}

void
safe_path_return(void)
{
	int saved = errno;

	if (!before.active)
		return;
	before.active = false;
	/* The real and the saved user are still root, so this cannot fail.  A
	 * process with mixed rights must not go on. */
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == -1 ||
	    setresgid((gid_t)-1, before.gid, (gid_t)-1) == -1 ||
	    setgroups((size_t)before.groups, before.group) == -1)
		abort();
	errno = saved;
}

/* Whether another user than root can change the names in a directory.  In a
 * sticky directory (inode(7)) the names of root are safe. */
static bool
safe_path_is_open(const struct stat *st, bool *shared)
{
	bool writable = (st->st_mode & S_IWOTH) != 0 ||
	    ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0);

	*shared = st->st_uid == 0 && writable && (st->st_mode & S_ISVTX) != 0;
	return st->st_uid != 0 || (writable && !*shared);
}

/* From here on the path is foreign: act as the owner, if there is one. */
static int
safe_path_goes_foreign(struct walk *w)
{
	if (w->at->foreign || w->acting)
		return 0;
	w->at->foreign = true;
	if (safe_path_become(w->owner) == -1)
		return -1;
	w->acting = before.active;
	return 0;
}

/* Make `fd` the directory. */
static int
safe_path_enter(struct walk *w, int fd, const struct stat *st)
{
	bool lost = w->shared && st->st_uid != 0;
	bool before_it = !w->at->foreign;

	safe_path_leave(w->at);
	w->at->dir = fd;
	lost = safe_path_is_open(st, &w->shared) || lost;
	if (lost && safe_path_goes_foreign(w) == -1)
		return -1;
	w->at->border = before_it && w->at->foreign;
	return 0;
}

static int
safe_path_from_root(struct walk *w)
{
	struct stat st;
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (w->acting) {
		w->at->dir = fd;
		return 0;
	}
	if (fstat(fd, &st) == -1) {
		close(fd);
		return -1;
	}
	w->shared = false;
	return safe_path_enter(w, fd, &st);
}

/* Change the owner.  In a directory with the setgid bit the group is that of
 * the directory; `st` has the bit. */
static int
safe_path_chown(int fd, const struct safe_owner *owner, const struct stat *st)
{
	return fchown(fd, owner->uid,
	    (st->st_mode & S_ISGID) != 0 ? (gid_t)-1 : owner->gid);
}

/* Create a directory.  Root gives it to the owner only in a directory where no
 * other user can have replaced it.  Returns 0, also if it exists now. */
static int
safe_path_make(struct walk *w, const char *name)
{
	const struct safe_owner *o = w->owner;
	struct stat st;
	int fd, r = -1;

	if (mkdirat(w->at->dir, name, 0755) == -1)
		return errno == EEXIST ? 0 : -1;
	if (w->at->foreign || w->acting || o->uid == (uid_t)-1)
		return 0;
	fd = openat(w->at->dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	/* mkdir(2) has copied the setgid bit of the parent. */
	if (fstat(fd, &st) == 0)
		r = safe_path_chown(fd, o, &st);
	close(fd);
	return r;
}

/* Put the text of the link before the rest of the path. */
static int
safe_path_splice(struct walk *w, int link, const char *rest)
{
	char text[PATH_MAX], whole[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);

	if (n == -1)
		return -1;
	text[n] = '\0';
	if (++w->links > LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	if (snprintf(whole, sizeof(whole), "%s%s%s", text,
		*rest != '\0' ? "/" : "", rest) >= (int)sizeof(whole)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strlcpy(w->rest, whole, sizeof(w->rest));
	return text[0] == '/' ? safe_path_from_root(w) : 0;
}

/* Links of procfs such as /proc/PID/fd/0 lead to objects; their text is not a
 * path. */
static bool
safe_path_is_kernels(int link)
{
	struct statfs fs;

	return fstatfs(link, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* A link of root in a directory that other users use, too. */
static bool
safe_path_is_own_link(const struct walk *w, const char *name)
{
	struct stat st;

	return fstatat(w->at->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode) && st.st_uid == 0 && st.st_nlink == 1;
}

/* Handle the last name.  It is not followed, unless it is a link of root. */
static int
safe_path_last(struct walk *w, const char *name, bool *done)
{
	struct stat st;
	int fd, r;

	*done = true;
	strlcpy(w->at->name, name, sizeof(w->at->name));
	if (w->at->foreign || w->acting)
		return 0;
	/* In a directory like /tmp another user can create the name at any
	 * time, and a file of root can be a hard link that a user made. */
	if (w->shared && !safe_path_is_own_link(w, name)) {
		w->at->border = true;
		return safe_path_goes_foreign(w);
	}
	fd = openat(w->at->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	r = fstat(fd, &st);
	if (r == 0 && S_ISLNK(st.st_mode)) {
		w->at->kernels = safe_path_is_kernels(fd);
		if (!w->at->kernels) {
			*done = false;
			r = safe_path_splice(w, fd, "");
		}
	}
	close(fd);
	return r;
}

/* Open the name, which should be a directory; create it if it is missing. */
static int
safe_path_reach(struct walk *w, const char *name, int flags)
{
	int fd = openat(w->at->dir, name, O_PATH | O_CLOEXEC | flags);

	if (fd == -1 && errno == ENOENT && w->make &&
	    safe_path_make(w, name) == 0)
		fd = openat(w->at->dir, name, O_PATH | O_CLOEXEC | flags);
	return fd;
}

/* Go down one directory with the rights of the owner: every link may be
 * followed, and nothing needs a check. */
static int
safe_path_step_as_owner(struct walk *w, const char *name, const char *rest)
{
	int fd = safe_path_reach(w, name, O_DIRECTORY);

	if (fd == -1)
		return -1;
	safe_path_leave(w->at);
	w->at->dir = fd;
	w->at->border = false;
	memmove(w->rest, rest, strlen(rest) + 1);
	return 0;
}

/* Go down one directory.  Returns 0 or -1. */
static int
safe_path_step(struct walk *w, const char *name, const char *rest)
{
	struct stat st;
	char left[PATH_MAX];
	int fd, r;

	if (w->acting)
		return safe_path_step_as_owner(w, name, rest);
	fd = safe_path_reach(w, name, O_NOFOLLOW);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1) {
		close(fd);
		return -1;
	}
	strlcpy(left, rest, sizeof(left));
	if (S_ISLNK(st.st_mode) && safe_path_is_kernels(fd)) {
		close(fd);
		fd = openat(w->at->dir, name, O_PATH | O_CLOEXEC);
		if (fd == -1 || fstat(fd, &st) == -1)
			goto fail;
	}
	if (S_ISDIR(st.st_mode)) {
		strlcpy(w->rest, left, sizeof(w->rest));
		return safe_path_enter(w, fd, &st);
	}
	errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
	if (!S_ISLNK(st.st_mode) || w->at->foreign)
		goto fail;
	if (w->shared && (st.st_uid != 0 || st.st_nlink != 1)) {
		/* The link of a user in /tmp: follow it as the owner. */
		if (safe_path_goes_foreign(w) == -1 || !w->acting)
			goto fail;
		close(fd);
		return safe_path_step(w, name, left);
	}
	r = safe_path_splice(w, fd, left);
	close(fd);
	return r;
fail:
	if (fd != -1) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
	return -1;
}

/* Returns 1 when the last name is reached, 0 if not yet, or -1. */
static int
safe_path_next(struct walk *w)
{
	char name[NAME_MAX + 1];
	const char *p = w->rest + strspn(w->rest, "/"), *rest;
	size_t len = strcspn(p, "/");
	bool done;

	if (len >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, p, len);
	name[len] = '\0';
	rest = p + len;
	if (*rest == '\0') {
		if (len == 0 || strcmp(name, ".") == 0 ||
		    strcmp(name, "..") == 0) {
			errno = EISDIR;
			return -1;
		}
		return safe_path_last(w, name, &done) == -1 ? -1 : done;
	}
	return safe_path_step(w, name, rest + strspn(rest, "/"));
}

int
safe_path_walk(struct safe_path *p, const char *path,
    const struct safe_owner *owner, bool make)
{
	struct walk w = { .at = p, .owner = owner, .make = make };
	int r;

	*p = (struct safe_path){ .dir = -1 };
	if (strlcpy(w.rest, path, sizeof(w.rest)) >= sizeof(w.rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* To another user than root nothing is foreign. */
	w.acting = geteuid() != 0;
	r = safe_path_from_root(&w);
	while (r == 0)
		r = safe_path_next(&w);
	safe_path_return();
	if (r == 1)
		return 0;
	safe_path_leave(p);
	return -1;
}

void
safe_path_leave(struct safe_path *p)
{
	int saved = errno;

	if (p->dir != -1)
		close(p->dir);
	p->dir = -1;
	errno = saved;
}

/* True if root acts for another user. */
static bool
safe_path_lends(const struct safe_owner *owner)
{
	return geteuid() == 0 && owner->uid != (uid_t)-1 && owner->uid != 0;
}

/* Give the file to the owner.  The caller knows that only root can have put the
 * file where it is.  A file that the owner has already is left alone. */
static int
safe_path_give(int fd, const struct safe_path *p,
    const struct safe_owner *owner)
{
	struct stat st, dir;

	if (!safe_path_lends(owner))
		return 0;
	if (fstat(fd, &st) == -1 || fstat(p->dir, &dir) == -1)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_uid == owner->uid)
		return 0;
	return safe_path_chown(fd, owner, &dir);
}

/* Root acts for itself in a foreign directory: refuse a file with several
 * names, since one of them may be an important file. */
static int
safe_path_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_nlink == 1)
		return 0;
	errno = EMLINK;
	return -1;
}

/* Open or create the file as root: the name is safe, or it must not be
 * followed. */
static int
safe_path_as_root(const struct safe_path *p, int flags, mode_t mode,
    const struct safe_owner *owner)
{
	int nofollow = p->kernels ? 0 : O_NOFOLLOW, fd = -1, r;

	for (int i = 0; fd == -1 && i < TRIES; i++) {
		if (!p->foreign || !safe_path_lends(owner)) {
			fd = openat(p->dir, p->name, flags | nofollow);
			if (fd != -1 || errno != ENOENT)
				break;
		}
		fd = openat(p->dir, p->name,
		    flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
		if (fd == -1 && errno != EEXIST)
			break;
		if (fd != -1) {
			r = safe_path_give(fd, p, owner);
			goto judged;
		}
	}
	if (fd == -1)
		return -1;
	r = p->foreign ? safe_path_check(fd) : safe_path_give(fd, p, owner);
judged:
	if (r == 0)
		return fd;
	close(fd);
	return -1;
}

/* Open or create the file with the rights of the owner, or with ours. */
static int
safe_path_as_owner(const struct safe_path *p, int flags, mode_t mode,
    const struct safe_owner *owner)
{
	int fd = -1;

	if (safe_path_become(owner) == -1)
		return -1;
	for (int i = 0; i < TRIES; i++) {
		fd = openat(p->dir, p->name, flags);
		if (fd != -1 || errno != ENOENT)
			break;
		/* Without O_EXCL: the target of a link may be missing. */
		fd = openat(p->dir, p->name, flags | O_CREAT, mode);
		if (fd != -1 || errno != EACCES)
			break;
		/* Another process may have created it. */
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
	bool lends = safe_path_lends(owner);
	struct safe_path p;
	int fd, saved;

	flags |= O_CLOEXEC | O_NOCTTY;
	/* Another user than root follows paths as the kernel does. */
	if (geteuid() != 0) {
		fd = open(path, flags);
		if (fd != -1 || errno != ENOENT)
			return fd;
	}
	if (safe_path_walk(&p, path, owner, true) == -1)
		return -1;
	if (geteuid() != 0 || (p.foreign && lends))
		fd = safe_path_as_owner(&p, flags, mode, owner);
	else
		fd = safe_path_as_root(&p, flags, mode, owner);
	/* The directory is the intended one, for example a /var/log that a
	 * group can write.  Creating a new file in it is safe. */
	if (fd == -1 && errno == EACCES && p.border && lends) {
		fd = safe_path_as_root(&p, flags, mode, owner);
		if (fd == -1 && errno == EEXIST)
			errno = EACCES;
	}
	saved = errno;
	safe_path_leave(&p);
	errno = saved;
	return fd;
}
