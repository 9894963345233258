/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets that the program was started with.
 *
 * The protocol is that of sd_listen_fds(3): LISTEN_FDS descriptors from 3 on,
 * for the process LISTEN_PID, with labels in LISTEN_FDNAMES.
 */
#include "master/listeners/inherit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <bsd/unistd.h>

#include "lib/log.h"
#include "shared/arena.h"

#define FIRST (STDERR_FILENO + 1) /* SD_LISTEN_FDS_START */
#define PASSED_MAX ADDRESSES_MAX

static struct {
	unsigned count;
	struct passed {
		int fd; /* -1: taken, or closed */
		uint32_t flags;
		char name[LISTENER_NAME]; /* "": does not listen */
		char label[64];		  /* from LISTEN_FDNAMES */
	} passed[PASSED_MAX];
	char remark[1024]; /* one warning for all sockets, or "" */
} inherit;

static void inherit_remark(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* Add to the remark. */
static void
inherit_remark(const char *fmt, ...)
{
	size_t used = strlen(inherit.remark);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(inherit.remark + used, sizeof(inherit.remark) - used, fmt,
	    ap);
	va_end(ap);
}

static bool
inherit_has(int fd, int level, int option, int wanted)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, option, &value, &len) == 0 &&
	    value == wanted;
}

/* Name the descriptor, if it is a TCP socket that listens. */
static void
inherit_look(struct passed *p)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *sin = (void *)&ss;
	socklen_t len = sizeof(ss);
	char host[ADDRESS_SIZE];

	if (!inherit_has(p->fd, SOL_SOCKET, SO_ACCEPTCONN, 1) ||
	    !inherit_has(p->fd, SOL_SOCKET, SO_PROTOCOL, IPPROTO_TCP) ||
	    getsockname(p->fd, (struct sockaddr *)&ss, &len) == -1)
		return;
	address_print(&ss, host, sizeof(host));
	if (*host == '\0')
		return;
	/* The port is at the same place in both families. */
	addresses_name(p->name, sizeof(p->name), host, ntohs(sin->sin_port));
	p->flags = LISTENER_PASSED;
	if (strcmp(host, "::") == 0 &&
	    inherit_has(p->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0))
		p->flags |= LISTENER_DUAL;
}

/* Returns how many descriptors are meant for this process. */
static unsigned
inherit_number(void)
{
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	const char *reason = NULL;
	unsigned n;

	if (fds == NULL)
		return 0;
	n = (unsigned)strtonum(fds, 0, PASSED_MAX, &reason);
	if (reason != NULL) {
		inherit_remark("LISTEN_FDS=%.32s is %s (0 to %d): no socket "
			       "that was passed is used",
		    fds, reason, PASSED_MAX);
		return 0;
	}
	if (pid == NULL || strtonum(pid, 1, INT32_MAX, &reason) != getpid()) {
		inherit_remark("LISTEN_FDS=%.32s: meant for process %.32s, and "
			       "this is %ld: no socket that was passed is used",
		    fds, pid != NULL ? pid : "(LISTEN_PID is not set)",
		    (long)getpid());
		return 0;
	}
	return n;
}

void
inherit_begin(void)
{
	unsigned n = inherit_number();
	const char *names = getenv("LISTEN_FDNAMES");

	for (unsigned i = 0; i < n; i++) {
		struct passed *p = &inherit.passed[i];
		size_t len = names != NULL ? strcspn(names, ":") : 0;

		p->fd = FIRST + (int)i;
		if (len > 0)
			snprintf(p->label, sizeof(p->label), "%.*s",
			    (int)(len < 63 ? len : 63), names);
		if (names != NULL)
			names = names[len] == ':' ? names + len + 1 : NULL;
		inherit_look(p);
	}
	inherit.count = n;
	closefrom(FIRST + (int)n);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_PIDFDID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

/* True if the service that wants the address `name` wants IPv4 clients on any
 * address, too. */
static bool
inherit_wants_ipv4(const struct addresses *a, const char *name)
{
	const struct address *wanted = addresses_named(a, name);

	for (unsigned i = 0; wanted != NULL && i < a->count; i++)
		if (strcmp(a->address[i].host, "0.0.0.0") == 0 &&
		    a->address[i].service == wanted->service)
			return true;
	return false;
}

int
inherit_take(const struct addresses *a, const char *name, uint32_t *flags)
{
	for (unsigned i = 0; i < inherit.count; i++) {
		struct passed *p = &inherit.passed[i];
		int fd = p->fd, how;

		if (fd == -1 || strcmp(p->name, name) != 0 ||
		    ((p->flags & LISTENER_DUAL) != 0 &&
			!inherit_wants_ipv4(a, name)))
			continue;
		how = fcntl(fd, F_GETFL);
		if (how == -1 || fcntl(fd, F_SETFL, how | O_NONBLOCK) == -1 ||
		    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
			continue;
		*flags = p->flags;
		p->fd = -1;
		return fd;
	}
	return -1;
}

/* Why the socket was not taken. */
static const char *
inherit_fault(const struct passed *p)
{
	if (*p->name == '\0')
		return "is no TCP socket that listens";
	return (p->flags & LISTENER_DUAL) != 0
	    ? "takes IPv4 clients, too, and is used only if bind has both "
	      ":: and 0.0.0.0"
	    : "is none of the addresses of bind with port";
}

void
inherit_end(void)
{
	for (unsigned i = 0; i < inherit.count; i++) {
		struct passed *p = &inherit.passed[i];

		if (p->fd == -1)
			continue;
		inherit_remark("%s%s%s%s%s%s",
		    *inherit.remark != '\0'
			? "; "
			: "LISTEN_FDS: passed and not used: ",
		    p->label, *p->label != '\0' ? " " : "", p->name,
		    *p->name != '\0' ? " " : "", inherit_fault(p));
		close(p->fd);
		p->fd = -1;
	}
}

void
inherit_report(void)
{
	if (*inherit.remark != '\0')
		log_warnx("%s", inherit.remark);
	inherit.remark[0] = '\0';
}
