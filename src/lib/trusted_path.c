/* SPDX-License-Identifier: ISC */
/*
 * Files that only the administrator can have put where they are.
 *
 * The path is walked with descriptors, so what is checked is what is opened.
 * Where nobody else can write, no name can change its meaning meanwhile.
 */
#include "lib/trusted_path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

/* The kernel follows as many, path_resolution(7). */
#define LINKS_MAX 40

static const char missing[] = "there is no such file";

struct walk {
	const char *path;
	int dir;     /* O_PATH */
	bool sticky; /* others have names in it, but cannot replace ours */
	uid_t also;
	unsigned links;
	char at[PATH_MAX];   /* what was opened last, for messages */
	char rest[PATH_MAX]; /* the part that is not walked yet */
	char *why;
	size_t size;
};

static int
trusted_path_fail(const struct walk *w, const char *problem)
{
	bool whole = strcmp(w->at, w->path) == 0 || problem == missing;

	snprintf(w->why, w->size, "%s%s%s: %s", w->path, whole ? "" : ": ",
	    whole ? "" : w->at, problem);
	return -1;
}

/* True if nobody but the user has this group: many systems give each user one,
 * and files that this group can write to. */
static bool
trusted_path_is_own_group(gid_t gid, uid_t user)
{
	const struct passwd *pw = getpwuid(user);
	const struct group *gr = getgrgid(gid);

	return pw != NULL && gr != NULL && pw->pw_gid == gid &&
	    strcmp(pw->pw_name, gr->gr_name) == 0 &&
	    (gr->gr_mem[0] == NULL ||
		(strcmp(gr->gr_mem[0], pw->pw_name) == 0 &&
		    gr->gr_mem[1] == NULL));
}

/* See that nobody else can write to what is opened. */
static int
trusted_path_check(struct walk *w, const struct stat *st)
{
	bool link = S_ISLNK(st->st_mode), in_sticky = w->sticky;
	bool writable = !link &&
	    ((st->st_mode & S_IWOTH) != 0 ||
		((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0 &&
		    !trusted_path_is_own_group(st->st_gid, w->also)));
	char problem[96];

	if (st->st_uid != 0 && st->st_uid != w->also) {
		snprintf(problem, sizeof(problem),
		    "it belongs to user %lu, not to root or the service's user",
		    (unsigned long)st->st_uid);
		return trusted_path_fail(w, problem);
	}
	w->sticky = S_ISDIR(st->st_mode) && writable && st->st_uid == 0 &&
	    (st->st_mode & S_ISVTX) != 0;
	if (writable && !w->sticky)
		return trusted_path_fail(w, "others can write to it");
	/* A user can make a hard link there, to an old file of root. */
	if (in_sticky && !S_ISDIR(st->st_mode) && st->st_nlink != 1)
		return trusted_path_fail(w, "it has another name as well");
	return 0;
}

static int
trusted_path_enter(struct walk *w, int fd)
{
	if (w->dir != -1)
		close(w->dir);
	w->dir = fd;
	return 0;
}

static int
trusted_path_from_root(struct walk *w)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	strlcpy(w->at, "/", sizeof(w->at));
	w->sticky = false;
	if (fd == -1)
		return trusted_path_fail(w, strerror(errno));
	(void)trusted_path_enter(w, fd);
	if (fstat(fd, &st) == -1)
		return trusted_path_fail(w, strerror(errno));
	return trusted_path_check(w, &st);
}

/* Put the text of the link before the rest of the path. */
static int
trusted_path_follow(struct walk *w, int link, const char *rest)
{
	char text[PATH_MAX], whole[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);

	if (n == -1)
		return trusted_path_fail(w, strerror(errno));
	text[n] = '\0';
	if (++w->links > LINKS_MAX)
		return trusted_path_fail(w, strerror(ELOOP));
	if (snprintf(whole, sizeof(whole), "%s%s%s", text,
		*rest != '\0' ? "/" : "", rest) >= (int)sizeof(whole))
		return trusted_path_fail(w, strerror(ENAMETOOLONG));
	strlcpy(w->rest, whole, sizeof(w->rest));
	return text[0] == '/' ? trusted_path_from_root(w) : 0;
}

/* Open the last name, which is the file of `st`. */
static int
trusted_path_last(struct walk *w, const char *name, const struct stat *st)
{
	struct stat opened;
	int fd;

	if (!S_ISREG(st->st_mode))
		return trusted_path_fail(w, "it is not a regular file");
	fd = openat(w->dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return trusted_path_fail(w, strerror(errno));
	if (fstat(fd, &opened) == 0 && opened.st_dev == st->st_dev &&
	    opened.st_ino == st->st_ino)
		return fd;
	close(fd);
	return trusted_path_fail(w, "it changes");
}

/* Go on by one name.  Returns a descriptor at the last one, -2 if there are
 * more, or -1. */
static int
trusted_path_next(struct walk *w)
{
	char name[NAME_MAX + 1], rest[PATH_MAX];
	const char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/"), at = strlen(w->at);
	struct stat st;
	int fd, r;

	if (len == 0)
		return trusted_path_fail(w, "it is a directory");
	if (len >= sizeof(name))
		return trusted_path_fail(w, strerror(ENAMETOOLONG));
	memcpy(name, p, len);
	name[len] = '\0';
	strlcpy(rest, p + len, sizeof(rest));
	snprintf(w->at + at, sizeof(w->at) - at, "%s%s",
	    w->at[at - 1] == '/' ? "" : "/", name);
	fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return trusted_path_fail(w,
		    errno == ENOENT ? missing : strerror(errno));
	r = fstat(fd, &st) == -1 ? trusted_path_fail(w, strerror(errno))
				 : trusted_path_check(w, &st);
	if (r == 0 && S_ISLNK(st.st_mode)) {
		w->at[at] = '\0';
		r = trusted_path_follow(w, fd, rest);
	} else if (r == 0 && (S_ISDIR(st.st_mode) || *rest != '\0')) {
		if (!S_ISDIR(st.st_mode))
			r = trusted_path_fail(w, strerror(ENOTDIR));
		else {
			strlcpy(w->rest, rest, sizeof(w->rest));
			(void)trusted_path_enter(w, fd);
			return -2;
		}
	} else if (r == 0) {
		close(fd);
		return trusted_path_last(w, name, &st);
	}
	close(fd);
	return r == 0 ? -2 : -1;
}

int
trusted_path_open(const char *path, uid_t also, char *why, size_t size)
{
	struct walk w = { .path = path,
		.dir = -1,
		.also = also,
		.why = why,
		.size = size };
	int r = -2;

	if (path[0] != '/' ||
	    strlcpy(w.rest, path, sizeof(w.rest)) >= sizeof(w.rest)) {
		snprintf(why, size, "%s: it is not an absolute path", path);
		return -1;
	}
	if (trusted_path_from_root(&w) == -1)
		r = -1;
	while (r == -2)
		r = trusted_path_next(&w);
	if (w.dir != -1)
		close(w.dir);
	return r;
}
