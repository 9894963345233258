/*
 * The master's own listening sockets.
 *
 * A control socket is made under another name and renamed into place, so that
 * there is no moment without one; a reload that leaves its path as it is hands
 * the listener on, since the service may not be allowed to make it again.
 */
#include "master/admin.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/log.h"
#include "master/takeover.h"

#define BACKLOG 128

static socklen_t
address(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	strlcpy(sun->sun_path, path, sizeof(sun->sun_path));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path) + 1);
}

/* Whether the path may be taken: there is nothing, or a socket that nobody
 * listens on.  Sets errno if not. */
static bool
is_free(const char *path)
{
	struct sockaddr_un sun;
	socklen_t len = address(&sun, path);
	struct stat st;
	int fd, error;

	if (lstat(path, &st) == -1)
		return errno == ENOENT;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return false;
	error = connect(fd, (struct sockaddr *)&sun, len) == -1 ? errno : 0;
	close(fd);
	errno = error == ECONNREFUSED || error == ENOENT ? 0 : error == 0 ||
	    error == EAGAIN ? EADDRINUSE : error;
	return errno == 0;
}

/* Nobody but us may reach it before owner and mode are right. */
static int
bind_privately(int fd, const char *path)
{
	struct sockaddr_un sun;
	socklen_t len = address(&sun, path);
	mode_t before = umask(0177);
	int r = bind(fd, (struct sockaddr *)&sun, len);

	umask(before);
	return r;
}

/* Returns 0, or -1 with errno set and no file left. */
static int
make_control(struct admin *s, const struct config *c,
    const struct identity *id)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;
	int saved;

	if (!is_free(c->control_socket))
		return -1;
	snprintf(name, sizeof(name), "%.*s.%ld", CONFIG_CONTROL_PATH,
	    c->control_socket, (long)getpid() % 10000000);
	(void)unlink(name);
	s->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (s->control == -1)
		return -1;
	if (bind_privately(s->control, name) == 0 &&
	    (id->uid == (uid_t)-1 || chown(name, id->uid, id->gid) == 0) &&
	    chmod(name, (mode_t)c->control_socket_mode) == 0 &&
	    listen(s->control, BACKLOG) == 0 && stat(name, &st) == 0 &&
	    rename(name, c->control_socket) == 0) {
		strlcpy(s->path, c->control_socket, sizeof(s->path));
		s->device = st.st_dev;
		s->inode = st.st_ino;
		return 0;
	}
	saved = errno;
	(void)unlink(name);
	close(s->control);
	s->control = -1;
	errno = saved;
	return -1;
}

/* The listener of the image before, at the same path: only the mode can be
 * another; or the file is gone, and another made if that is permitted. */
static void
adopt_control(struct admin *s, const struct admin *old,
    const struct config *c, const struct identity *id,
    const struct config *was)
{
	struct stat st;

	if (lstat(c->control_socket, &st) == -1 && errno == ENOENT &&
	    make_control(s, c, id) == 0)
		return;
	s->control = old->control;
	strlcpy(s->path, c->control_socket, sizeof(s->path));
	if (lstat(s->path, &st) == -1) {
		log_warn("control-socket %s", s->path);
		return;
	}
	s->device = st.st_dev;
	s->inode = st.st_ino;
	if (c->control_socket_mode != was->control_socket_mode &&
	    chmod(s->path, (mode_t)c->control_socket_mode) == -1)
		log_warn("control-socket %s: its mode stays", s->path);
}

/* Returns a socket that is bound, and listens if it shall; or -1 with errno
 * set. */
static int
make_metrics(const struct config *c, bool listening)
{
	struct sockaddr_storage ss;
	socklen_t len = address_fill(&ss, c->metrics_bind, c->metrics_port);
	int fd, one = 1, saved;

	if (len == 0)
		return -1;
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd != -1 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof(one)) == -1 || bind(fd, (struct sockaddr *)&ss, len) ==
	    -1 || (listening && listen(fd, BACKLOG) == -1))) {
		saved = errno;
		close(fd);
		fd = -1;
		errno = saved;
	}
	return fd;
}

static bool
same_metrics(const struct config *a, const struct config *b)
{
	return a->metrics_port == b->metrics_port &&
	    strcmp(a->metrics_bind, b->metrics_bind) == 0;
}

/* The control socket's path, as admin_check(). */
static int
check_control(const struct config *c, const struct config *was, char *why,
    size_t size)
{
	if (c->control_socket[0] == '\0' || (was != NULL &&
	    strcmp(c->control_socket, was->control_socket) == 0) ||
	    is_free(c->control_socket) || (was == NULL &&
	    (errno == EADDRINUSE || errno == EACCES)))
		return 0;
	snprintf(why, size, "control-socket %s: %s", c->control_socket,
	    strerror(errno));
	return -1;
}

int
admin_check(const struct config *c, const struct config *was, char *why,
    size_t size)
{
	int fd;

	if (check_control(c, was, why, size) == -1)
		return -1;
	if (c->metrics_port == 0 || (was != NULL && same_metrics(c, was)))
		return 0;
	fd = make_metrics(c, false);
	if (fd != -1)
		close(fd);
	/* That may be the service itself, before a start. */
	if (fd != -1 || (was == NULL && errno == EADDRINUSE))
		return 0;
	snprintf(why, size, "metrics %s port %u: %s", c->metrics_bind,
	    c->metrics_port, strerror(errno));
	return -1;
}

int
admin_open(struct admin *s, const struct config *c, const struct identity *id,
    const struct admin *old, const struct config *was)
{
	*s = (struct admin)ADMIN_NONE;
	if (c->control_socket[0] != '\0') {
		if (old != NULL && old->control != -1 &&
		    strcmp(c->control_socket, was->control_socket) == 0)
			adopt_control(s, old, c, id, was);
		else if (make_control(s, c, id) == -1) {
			log_warn("control-socket %s", c->control_socket);
			return -1;
		}
	}
	if (c->metrics_port == 0)
		return 0;
	s->metrics = old != NULL && old->metrics != -1 &&
	    same_metrics(c, was) ? old->metrics : make_metrics(c, true);
	if (s->metrics != -1)
		return 0;
	log_warn("metrics %s port %u", c->metrics_bind, c->metrics_port);
	admin_close(s, old);
	return -1;
}

void
admin_close(struct admin *s, const struct admin *other)
{
	struct stat st;

	if (s->control != -1 && (other == NULL ||
	    other->control != s->control)) {
		if (lstat(s->path, &st) == 0 && st.st_dev == s->device &&
		    st.st_ino == s->inode)
			(void)unlink(s->path);
		close(s->control);
		s->control = -1;
	}
	if (s->metrics != -1 && (other == NULL ||
	    other->metrics != s->metrics)) {
		close(s->metrics);
		s->metrics = -1;
	}
}

/* The clients' accept4 is the worker's, whose recovery depends on how it is
 * used. */
int
admin_accept(int listener, struct sockaddr *peer, socklen_t *len)
{
	return accept4(listener, peer, len, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int
admin_keep(const struct admin *s, bool keep)
{
	return takeover_keep_one(s->control, keep) |
	    takeover_keep_one(s->metrics, keep);
}
