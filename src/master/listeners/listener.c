/* SPDX-License-Identifier: ISC */
/*
 * One listening socket.
 *
 * Options are set on the listener.  Accepted sockets inherit them, so no call
 * is needed for each client.
 */
#include "master/listeners/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/services.h"

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73 /* of linux/in6.h; glibc lacks it */
#endif

static int
listener_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* As in Redis: the first probe comes after `idle` s of silence, three more
 * follow at intervals of a third of that, then the client is given up. */
static int
listener_set_keepalive(int fd, unsigned idle)
{
	int interval = idle / 3 > 0 ? (int)(idle / 3) : 1;

	if (idle == 0)
		return listener_set(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (listener_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == -1 ||
	    listener_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle) == -1 ||
	    listener_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval) == -1 ||
	    listener_set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3) == -1)
		return -1;
	return 0;
}

int
listener_adjust(int fd, const struct service_config *c)
{
	if (listener_set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
	    /* The kernel counts urgent bytes as received, too. */
	    listener_set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == -1 ||
	    listener_set_keepalive(fd, c->tcp_keepalive) == -1)
		return -1;
	return listen(fd, (int)c->tcp_backlog);
}

int
listener_share(int fd, bool yes)
{
	return listener_set(fd, SOL_SOCKET, SO_REUSEPORT, yes);
}

/*
 * The kernel drops a packet whose hop limit is below a bound (RFC 5082; ip(7),
 * IP_MINTTL); no packet that was routed has 255.  The bound holds for a SYN.
 * It does not hold for the last packet of a handshake that has begun, which the
 * kernel matches to its request.  The accepted socket inherits the bound, so
 * worker/connection/accept.c removes it.  A socket filter could recognize SYNs
 * better, but today's kernels (6.1.0-50, 6.12, 6.18) demand CAP_NET_ADMIN for a
 * filter on a TCP socket.
 */
int
listener_drop_syns(int fd)
{
	int family = AF_UNSPEC;
	socklen_t len = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == -1)
		return -1;
	return family == AF_INET6
	    ? listener_set(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, 255)
	    : listener_set(fd, IPPROTO_IP, IP_MINTTL, 255);
}

/* Set the options that must be set before bind(2). */
static int
listener_prepare(int fd, int family, unsigned how)
{
	if (listener_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1 ||
	    ((how & OPEN_SHARED) != 0 && listener_share(fd, true) == -1) ||
	    /* IPv6 sockets accept this option of IPv4, too. */
	    ((how & OPEN_EARLY) != 0 &&
		listener_set(fd, IPPROTO_IP, IP_FREEBIND, 1) == -1) ||
	    (family == AF_INET6 &&
		listener_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == -1))
		return -1;
	return 0;
}

int
listener_open(const struct address *a, const struct service_config *c,
    unsigned how, const char **call)
{
	struct sockaddr_storage ss;
	socklen_t len = address_fill(&ss, a->host, c->port);
	int fd, saved;

	*call = "bind";
	if (len == 0)
		return -1;
	*call = "socket";
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1)
		return -1;
	*call = "setsockopt";
	if (listener_prepare(fd, ss.ss_family, how) == 0) {
		*call = "bind";
		if (bind(fd, (struct sockaddr *)&ss, len) == 0) {
			*call = "listen";
			if ((how & OPEN_TRY) != 0 ||
			    listener_adjust(fd, c) == 0)
				return fd;
		}
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

bool
listener_has_address(int fd)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *sin = (void *)&ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return true;
	/* The port is at the same place in both families. */
	sin->sin_port = 0;
	return address_is_here(&ss, len);
}

bool
listener_is_stale(int fd, const char *name)
{
	char host[ADDRESS_SIZE];
	struct sockaddr_storage ss, now;
	const struct sockaddr_in6 *was = (const void *)&ss,
				  *is = (const void *)&now;
	socklen_t len = sizeof(ss);

	if (*name != '[' || strcspn(name, "]") > sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(name + 1, "]"),
	    name + 1);
	return address_fill(&now, host, 0) > 0 &&
	    getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    was->sin6_scope_id != is->sin6_scope_id;
}

/* The first port that needs no privilege. */
static unsigned
listener_first_free_port(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned port = IPPORT_RESERVED;

	if (f == NULL)
		return port;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own int */
	if (fscanf(f, "%u", &port) != 1)
		port = IPPORT_RESERVED;
	fclose(f);
	return port;
}

void
listener_reason(char *why, size_t size, const char *call, const char *name,
    int error, const struct service_config *c)
{
	unsigned first = error == EACCES ? listener_first_free_port() : 0;
	char label[SERVICES_LABEL];

	services_label(label, sizeof(label), c, call);
	if (c->port < first)
		snprintf(why, size,
		    "%s %s: %s; ports below %u take "
		    "CAP_NET_BIND_SERVICE, a socket unit or a start as root: "
		    "see PRIVILEGED PORTS in echod(8)",
		    label, name, strerror(error), first);
	else if (error == EINVAL && strncmp(name, "[fe80:", 6) == 0 &&
	    strchr(name, '%') == NULL)
		snprintf(why, size,
		    "%s %s: an address of one link takes the "
		    "name of its interface: fe80::1%%eth0",
		    label, name);
	else
		snprintf(why, size, "%s %s: %s", label, name, strerror(error));
}
