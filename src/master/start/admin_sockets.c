/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets for administrators.
 *
 * If a reload keeps the path of the control socket, the listener is handed on,
 * since the service may not be allowed to make it again.
 */
#include "master/start/admin_sockets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/descriptor_close.h"
#include "lib/descriptor_keep.h"
#include "lib/log.h"

/* Of the metrics port.  If many clients come at once, most have left before
 * they are accepted; a client that finds the queue full tries again after a
 * second. */
#define BACKLOG 511

/* Take the listener of the program before, at the same path.  The mode may be
 * new.  If the file is gone, another one is made, if that is permitted. */
static void
admin_sockets_adopt_control(struct admin_sockets *s,
    const struct admin_sockets *old, const struct config *c,
    const struct identity *id, const struct config *was)
{
	struct stat st;

	if (lstat(c->control_socket, &st) == -1 && errno == ENOENT &&
	    (s->control = control_file_make(&s->file, c, id)) != -1)
		return;
	s->control = old->control;
	if (control_file_adopt(&s->file, c->control_socket) == -1) {
		log_warn("control-socket %s", s->file.path);
		return;
	}
	if (c->control_socket_mode != was->control_socket_mode &&
	    control_file_chmod(&s->file, (mode_t)c->control_socket_mode) == -1)
		log_warn("control-socket %s: its mode stays", s->file.path);
}

/* Returns a socket that is bound, and that listens if `listening`; or -1 with
 * errno set. */
static int
admin_sockets_make_metrics(const struct config *c, bool listening)
{
	struct sockaddr_storage ss;
	socklen_t len = address_fill(&ss, c->metrics_bind, c->metrics_port);
	int fd, one = 1, saved;

	if (len == 0)
		return -1;
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd != -1 &&
	    (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ==
		    -1 ||
		bind(fd, (struct sockaddr *)&ss, len) == -1 ||
		(listening && listen(fd, BACKLOG) == -1))) {
		saved = errno;
		close(fd);
		fd = -1;
		errno = saved;
	}
	return fd;
}

static bool
admin_sockets_same_metrics(const struct config *a, const struct config *b)
{
	return a->metrics_port == b->metrics_port &&
	    strcmp(a->metrics_bind, b->metrics_bind) == 0;
}

/* Test the control socket's path, as admin_sockets_check().  Before a start its
 * directory may not exist yet. */
static int
admin_sockets_check_control(const struct config *c, const struct config *was,
    char *why, size_t size)
{
	static const struct safe_owner nobody = { (uid_t)-1, (gid_t)-1 };

	if (c->control_socket[0] == '\0' ||
	    (was != NULL &&
		strcmp(c->control_socket, was->control_socket) == 0) ||
	    control_file_is_free(c->control_socket, &nobody) ||
	    (was == NULL &&
		(errno == EADDRINUSE || errno == EACCES || errno == ENOENT)))
		return 0;
	snprintf(why, size, "control-socket %s: %s", c->control_socket,
	    strerror(errno));
	return -1;
}

int
admin_sockets_check(const struct config *c, const struct config *was, char *why,
    size_t size)
{
	int fd;

	if (admin_sockets_check_control(c, was, why, size) == -1)
		return -1;
	if (c->metrics_port == 0 ||
	    (was != NULL && admin_sockets_same_metrics(c, was)))
		return 0;
	fd = admin_sockets_make_metrics(c, false);
	if (fd != -1)
		close(fd);
	/* Before a start, the service itself may use the port. */
	if (fd != -1 || (was == NULL && errno == EADDRINUSE))
		return 0;
	snprintf(why, size, "metrics %s port %u: %s", c->metrics_bind,
	    c->metrics_port, strerror(errno));
	return -1;
}

int
admin_sockets_open(struct admin_sockets *s, const struct config *c,
    const struct identity *id, const struct admin_sockets *old,
    const struct config *was)
{
	*s = (struct admin_sockets)ADMIN_SOCKETS_NONE;
	if (c->control_socket[0] != '\0') {
		if (old != NULL && old->control != -1 &&
		    strcmp(c->control_socket, was->control_socket) == 0)
			admin_sockets_adopt_control(s, old, c, id, was);
		else
			s->control = control_file_make(&s->file, c, id);
		if (s->control == -1) {
			log_warn("control-socket %s", c->control_socket);
			return -1;
		}
	}
	if (c->metrics_port == 0)
		return 0;
	s->metrics = old != NULL && old->metrics != -1 &&
		admin_sockets_same_metrics(c, was)
	    ? old->metrics
	    : admin_sockets_make_metrics(c, true);
	if (s->metrics != -1)
		return 0;
	log_warn("metrics %s port %u", c->metrics_bind, c->metrics_port);
	admin_sockets_close(s, old);
	return -1;
}

void
admin_sockets_close(struct admin_sockets *s, const struct admin_sockets *other)
{
	if (s->control != -1 &&
	    (other == NULL || other->control != s->control)) {
		control_file_remove(&s->file);
		descriptor_close_listener(s->control);
		s->control = -1;
	}
	if (s->metrics != -1 &&
	    (other == NULL || other->metrics != s->metrics)) {
		descriptor_close_listener(s->metrics);
		s->metrics = -1;
	}
}

int
admin_sockets_keep(const struct admin_sockets *s, bool keep)
{
	return descriptor_keep(s->control, keep) |
	    descriptor_keep(s->metrics, keep);
}
