/* SPDX-License-Identifier: ISC */
/*
 * The file of the control socket.
 *
 * The file is made under another name and then renamed, so that the path
 * always has a file.
 *
 * No system call changes the owner of a socket's file by a descriptor.  The
 * directory usually belongs to `user`, and a process of `user` can put a link
 * in the place of the file between any two calls of root.  So in such a
 * directory the file is made with the rights of `user`, and needs no change of
 * owner; its mode comes from the umask.
 */
#include "master/start/control_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/string.h>

#define BACKLOG 128
/* Bytes of a name that fit into sun_path behind /proc/self/fd/N/. */
#define NAME_BYTES 64

/* The address of the file that is open as `fd`, or of `name` in that
 * directory. */
static socklen_t
control_file_address(struct sockaddr_un *sun, int fd, const char *name)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    (size_t)snprintf(sun->sun_path, sizeof(sun->sun_path),
		"/proc/self/fd/%d%s%s", fd, *name != '\0' ? "/" : "", name));
}

/* True if no process listens on the socket that `fd`, an O_PATH descriptor,
 * stands for.  Sets errno if not. */
static bool
control_file_is_dead(int fd)
{
	struct sockaddr_un sun;
	socklen_t len = control_file_address(&sun, fd, "");
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (s == -1)
		return false;
	error = connect(s, (struct sockaddr *)&sun, len) == -1 ? errno : 0;
	close(s);
	errno = error == 0 || error == EAGAIN ? EADDRINUSE : error;
	return error == ECONNREFUSED || error == ENOENT;
}

/* True if the path may be taken: there is no file, or a socket on which no
 * process listens.  Sets errno if not. */
static bool
control_file_may_be_at(const struct safe_path *p)
{
	int fd = openat(p->dir, p->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool dead = false;
	int saved;

	if (fd == -1)
		return errno == ENOENT;
	if (fstat(fd, &st) == 0) {
		errno = EEXIST;
		dead = S_ISSOCK(st.st_mode) && control_file_is_dead(fd);
	}
	saved = errno;
	close(fd);
	errno = saved;
	return dead;
}

/* Bind a socket whose file has the mode from its beginning.  No client can
 * connect before it listens.  Returns it, or -1 with errno set. */
static int
control_file_bind(const struct safe_path *p, const char *name, mode_t mode)
{
	struct sockaddr_un sun;
	socklen_t len = control_file_address(&sun, p->dir, name);
	mode_t before;
	int saved, r,
	    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	before = umask(0777 & ~mode);
	r = bind(fd, (struct sockaddr *)&sun, len);
	saved = errno;
	umask(before);
	if (r == 0)
		return fd;
	close(fd);
	errno = saved;
	return -1;
}

/* Listen and rename the file to its place.  Returns 0, or -1 with errno set. */
static int
control_file_place(struct control_file *f, int fd, const struct safe_path *p,
    const char *name)
{
	struct stat st;

	/* Where only root can write, no other process changes the name. */
	if ((!p->foreign && f->owner.uid != (uid_t)-1 &&
		fchownat(p->dir, name, f->owner.uid, f->owner.gid,
		    AT_SYMLINK_NOFOLLOW) == -1) ||
	    listen(fd, BACKLOG) == -1 ||
	    fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    renameat(p->dir, name, p->dir, p->name) == -1)
		return -1;
	f->device = st.st_dev;
	f->inode = st.st_ino;
	return 0;
}

/* Make the file in the directory; the process has the rights for it. */
static int
control_file_make_at(struct control_file *f, const struct safe_path *p,
    mode_t mode)
{
	char name[NAME_BYTES + 16];
	int fd, saved;

	snprintf(name, sizeof(name), "%.*s.%ld", NAME_BYTES, p->name,
	    (long)getpid() % 10000000);
	(void)unlinkat(p->dir, name, 0);
	fd = control_file_bind(p, name, mode);
	if (fd == -1 || control_file_place(f, fd, p, name) == 0)
		return fd;
	saved = errno;
	(void)unlinkat(p->dir, name, 0);
	close(fd);
	errno = saved;
	return -1;
}

bool
control_file_is_free(const char *path, const struct safe_owner *owner)
{
	struct safe_path p;
	bool may;

	if (safe_path_walk(&p, path, owner, false) == -1)
		return false;
	may = control_file_may_be_at(&p);
	safe_path_leave(&p);
	return may;
}

int
control_file_make(struct control_file *f, const struct config *c,
    const struct identity *id)
{
	struct safe_path p;
	int fd = -1;

	*f = (struct control_file)CONTROL_FILE_NONE;
	f->owner = (struct safe_owner){ id->uid, id->gid };
	if (safe_path_walk(&p, c->control_socket, &f->owner, false) == -1)
		return -1;
	/* Ask with root's rights whether a process listens: a socket that is
	 * left over may belong to another user. */
	if (control_file_may_be_at(&p) &&
	    (!p.foreign || safe_path_become(&f->owner) == 0)) {
		fd = control_file_make_at(f, &p,
		    (mode_t)c->control_socket_mode);
		safe_path_return();
	}
	safe_path_leave(&p);
	if (fd != -1)
		strlcpy(f->path, c->control_socket, sizeof(f->path));
	return fd;
}

int
control_file_adopt(struct control_file *f, const char *path)
{
	struct stat st;

	*f = (struct control_file)CONTROL_FILE_NONE;
	strlcpy(f->path, path, sizeof(f->path));
	if (lstat(path, &st) == -1)
		return -1;
	f->device = st.st_dev;
	f->inode = st.st_ino;
	return 0;
}

/* True if the file is still the one that was made. */
static bool
control_file_is(const struct control_file *f, const struct stat *st)
{
	return S_ISSOCK(st->st_mode) && st->st_dev == f->device &&
	    st->st_ino == f->inode;
}

int
control_file_chmod(const struct control_file *f, mode_t mode)
{
	char path[32];
	struct stat st;
	int saved, r = -1, fd = open(f->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) == 0) {
		errno = ENOTSOCK;
		if (control_file_is(f, &st))
			r = chmod(path, mode);
	}
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

void
control_file_remove(const struct control_file *f)
{
	struct safe_path p;
	struct stat st;

	if (f->path[0] == '\0' ||
	    safe_path_walk(&p, f->path, &f->owner, false) == -1)
		return;
	if (!p.foreign || safe_path_become(&f->owner) == 0) {
		if (fstatat(p.dir, p.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    control_file_is(f, &st))
			(void)unlinkat(p.dir, p.name, 0);
		safe_path_return();
	}
	safe_path_leave(&p);
}
