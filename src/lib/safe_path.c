/* SPDX-License-Identifier: ISC */
/*
 * Paths that root follows, in directories that are not root's.
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

/* As many as the kernel follows, path_resolution(7). */
#define LINKS_MAX 40
/* How often what was there is gone, or the reverse, before we give up. */
#define TRIES 16

struct walk {
	struct safe_path *at;
	const struct safe_owner *owner;
	bool make;
	bool shared; /* sticky: others have names in it, too */
	bool acting; /* as the owner: what it may, it may */
	unsigned links;
	char rest[PATH_MAX]; /* not walked yet */
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
	/* The real and the saved one are still root's: this cannot fail, and
	 * who is neither must not go on. */
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == -1 ||
	    setresgid((gid_t)-1, before.gid, (gid_t)-1) == -1 ||
	    setgroups((size_t)before.groups, before.group) == -1)
		abort();
	errno = saved;
}

/* Whether others than root can change the names in a directory; in a sticky
 * one, inode(7), root's names stay. */
static bool
safe_path_is_open(const struct stat *st, bool *shared)
{
	bool writable = (st->st_mode & S_IWOTH) != 0 ||
	    ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0);

	*shared = st->st_uid == 0 && writable && (st->st_mode & S_ISVTX) != 0;
	return st->st_uid != 0 || (writable && !*shared);
}

/* What comes from here on is others': act as the owner, if there is one. */
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

/* `fd` is the directory from now on. */
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

/* Made by us, where nobody else can have changed it meanwhile; or as the one
 * it is for.  Returns 0, also if somebody else has made it. */
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
	/* In a directory with that bit, the group is the directory's. */
	if (fstat(fd, &st) == 0)
		r = fchown(fd, o->uid,
		    (st.st_mode & S_ISGID) != 0 ? (gid_t)-1 : o->gid);
	close(fd);
	return r;
}

/* Put what the link says before what is left of the path. */
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

/* /proc/PID/fd and the like: these lead to objects, what they say is no path. */
static bool
safe_path_is_kernels(int link)
{
	struct statfs fs;

	return fstatfs(link, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* A link that root has laid in a directory that others use, too. */
static bool
safe_path_is_own_link(const struct walk *w, const char *name)
{
	struct stat st;

	return fstatat(w->at->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode) && st.st_uid == 0 && st.st_nlink == 1;
}

/* The last name: it stays, unless it is a link that is root's. */
static int
safe_path_last(struct walk *w, const char *name, bool *done)
{
	struct stat st;
	int fd, r;

	*done = true;
	strlcpy(w->at->name, name, sizeof(w->at->name));
	if (w->at->foreign || w->acting)
		return 0;
	/* In /tmp, what is not there can come, and what is root's can be a
	 * hard link that somebody has made to it. */
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

/* Open a directory, or what is in its place, made if it is missing. */
static int
safe_path_reach(struct walk *w, const char *name, int flags)
{
	int fd = openat(w->at->dir, name, O_PATH | O_CLOEXEC | flags);

	if (fd == -1 && errno == ENOENT && w->make &&
	    safe_path_make(w, name) == 0)
		fd = openat(w->at->dir, name, O_PATH | O_CLOEXEC | flags);
	return fd;
}

/* One directory further down with the owner's rights: every link may be
 * followed, and nothing need be judged. */
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

/* One directory further down.  Returns 0 or -1. */
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
		/* Somebody's link in /tmp, to be followed as the owner. */
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
	/* Nothing is foreign to another: it follows every link by itself. */
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

/* Root acts for another. */
static bool
safe_path_lends(const struct safe_owner *owner)
{
	return geteuid() == 0 && owner->uid != (uid_t)-1 && owner->uid != 0;
}

/* Only what is given away is looked at, and only what root alone can have put
 * where it is; what is there already with the right owner stays as it is. */
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
	return fchown(fd, owner->uid,
	    (dir.st_mode & S_ISGID) != 0 ? (gid_t)-1 : owner->gid);
}

/* Root, for itself, in others' directories: a file that has another name,
 * too, may be one that matters under that. */
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

/* A name nobody can change, or one that root must not follow: a new file, or
 * the one that is there. */
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

/* With the rights of the one it is for, which may be ours. */
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
	bool lends = safe_path_lends(owner);
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
		fd = safe_path_as_owner(&p, flags, mode, owner);
	else
		fd = safe_path_as_root(&p, flags, mode, owner);
	/* The directory is the one that was meant, such as a /var/log that a
	 * group can write: a new file in there, by its descriptor, harms
	 * nobody. */
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
