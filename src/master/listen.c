/*
 * The listening sockets.
 *
 * Options are set on the listener, from which accepted sockets inherit them:
 * nothing need be set per client.
 */
#include "master/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/log.h"

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* As Redis does: the first probe after `idle` s of silence, the client given
 * up after three more at a third of it each. */
static int
set_keepalive(int fd, unsigned idle)
{
	int interval = idle / 3 > 0 ? (int)(idle / 3) : 1;

	if (idle == 0)
		return 0;
	if (set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3) == -1)
		return -1;
	return 0;
}

/* A listening socket, or -1 with errno set and the failed call in `call`. */
static int
open_one(const struct addrinfo *ai, const struct config *c, const char **call)
{
	int fd = socket(ai->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*call = "socket";
	if (fd == -1)
		return -1;
	*call = "setsockopt";
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
	    set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == 0 &&
	    /* Urgent bytes are bytes: the kernel counts them as received. */
	    set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == 0 &&
	    (ai->ai_family != AF_INET6 ||
	    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0) &&
	    set_keepalive(fd, c->tcp_keepalive) == 0) {
		*call = "bind";
		if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
			*call = "listen";
			if (listen(fd, (int)c->tcp_backlog) == 0)
				return fd;
		}
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Errors that "-" before an address forgives, as in Redis: the machine does
 * not have it.  An address in use is always an error. */
static bool
not_available(int error)
{
	return error == EADDRNOTAVAIL || error == EAFNOSUPPORT ||
	    error == EPROTONOSUPPORT || error == EPROTO ||
	    error == ENOPROTOOPT;
}

static void
name_listener(char *name, size_t size, const struct bind_address *address,
    const struct config *c)
{
	snprintf(name, size, strchr(address->host, ':') != NULL ? "[%s]:%u" :
	    "%s:%u", address->host, c->port);
}

static bool
is_open(const struct arena *a, const char *name)
{
	for (unsigned i = 0; i < a->header->listeners; i++)
		if (strcmp(a->header->listener[i].name, name) == 0)
			return true;
	return false;
}

/* Returns 0, 1 if the address was skipped, or -1. */
static int
open_address(struct listener *l, const struct bind_address *address,
    const struct config *c)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE |
		AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	const char *call;
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", c->port);
	name_listener(l->name, sizeof(l->name), address, c);
	error = getaddrinfo(address->host, port, &hints, &ai);
	if (error != 0) {
		log_warnx("bind %s: %s", l->name, gai_strerror(error));
		return -1;
	}
	l->fd = open_one(ai, c, &call);
	error = errno;
	freeaddrinfo(ai);
	errno = error;
	if (l->fd != -1)
		return 0;
	if (address->optional && not_available(error)) {
		return 1;
	}
	log_warn("%s %s", call, l->name);
	return -1;
}

int
listen_open(const struct arena *a, const struct config *c)
{
	struct arena_header *h = a->header;

	for (unsigned i = 0; i < c->bind.count; i++) {
		int r = open_address(&h->listener[h->listeners],
		    &c->bind.address[i], c);

		if (r == -1)
			return -1;
		if (r == 0)
			h->listeners++;
	}
	if (h->listeners == 0) {
		log_warnx("bind: none of the %u addresses is available",
		    c->bind.count);
		return -1;
	}
	return 0;
}

void
listen_report(const struct arena *a, const struct config *c)
{
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
	unsigned most;

	for (unsigned i = 0; i < c->bind.count; i++) {
		char name[sizeof(a->header->listener[0].name)];

		name_listener(name, sizeof(name), &c->bind.address[i], c);
		if (!is_open(a, name))
			log_notice("bind %s: not available, skipped", name);
	}
	if (f == NULL)
		return;
	/* The kernel cuts the backlog to this without a word. */
	if (fscanf(f, "%u", &most) == 1 && most < c->tcp_backlog)
		log_warnx("tcp-backlog %u: the kernel allows %u "
		    "(net.core.somaxconn)", c->tcp_backlog, most);
	fclose(f);
}

const char *
listen_names(const struct arena *a)
{
	static char names[ARENA_LISTENERS_MAX * sizeof(struct listener)];

	names[0] = '\0';
	for (unsigned i = 0; i < a->header->listeners; i++) {
		if (i > 0)
			strlcat(names, " ", sizeof(names));
		strlcat(names, a->header->listener[i].name, sizeof(names));
	}
	return names;
}
