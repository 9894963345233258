/* SPDX-License-Identifier: ISC */
/*
 * The health check: one echo round trip as a client of the service.
 */
#include "commands/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "config/addresses.h"
#include "lib/address.h"
#include "lib/clock.h"

#define PATIENCE_S 3

/* A service that listens on every address is asked at the loopback address. */
static const char *
check_target(const struct address *a)
{
	if (strcmp(a->host, "0.0.0.0") == 0)
		return "127.0.0.1";
	if (strcmp(a->host, "::") == 0)
		return "::1";
	return a->host;
}

/* Returns a connected socket, or -1 with errno set. */
static int
check_dial(const char *host, unsigned port)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_storage ss;
	socklen_t len = address_fill(&ss, host, port);
	int fd, saved;

	if (len == 0)
		return -1;
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* SO_SNDTIMEO bounds connect(2) as well, socket(7). */
	if (fd != -1 &&
	    (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		 sizeof(patience)) == -1 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		    sizeof(patience)) == -1 ||
		connect(fd, (struct sockaddr *)&ss, len) == -1)) {
		saved = errno == EINPROGRESS ? ETIMEDOUT : errno;
		close(fd);
		fd = -1;
		errno = saved;
	}
	return fd;
}

/* Send a line and a FIN, and read until EOF.  Returns the reason of a failure,
 * or NULL. */
static const char *
check_round_trip(int fd, const struct config *c)
{
	/* The header of a connection that was not relayed (PROXY protocol,
	 * 2.1). */
	static const char header[] = "PROXY UNKNOWN\r\n";
	size_t header_len = c->service[0].proxy_protocol == PROXY_PROTOCOL_ON
	    ? sizeof(header) - 1
	    : 0;
	char line[48], reply[sizeof(line)];
	size_t len, got = 0;
	ssize_t n;

	len = (size_t)snprintf(line, sizeof(line), "echod --check %08x%08x\n",
	    arc4random(), arc4random());
	if (send(fd, header, header_len, MSG_NOSIGNAL | MSG_MORE) !=
		(ssize_t)header_len ||
	    send(fd, line, len, MSG_NOSIGNAL) != (ssize_t)len ||
	    shutdown(fd, SHUT_WR) == -1)
		return strerror(errno);
	while ((n = recv(fd, reply + got, sizeof(reply) - got, 0)) > 0 &&
	    got + (size_t)n < sizeof(reply))
		got += (size_t)n;
	if (n == -1)
		return errno == EAGAIN ? "no answer" : strerror(errno);
	if (n > 0)
		return "too long an answer";
	if (got != (strcmp(c->service[0].handler, "discard") != 0 ? len : 0) ||
	    memcmp(reply, line, got) != 0)
		return "wrong answer";
	return NULL;
}

/* The first configured address that this machine has. */
static const struct address *
check_first(const struct addresses *list)
{
	struct sockaddr_storage ss;
	socklen_t len;

	for (unsigned i = 0; i < list->count; i++) {
		len = address_fill(&ss, list->address[i].host, 0);
		if (len > 0 && address_is_here(&ss, len))
			return &list->address[i];
	}
	return &list->address[0];
}

int
check(const struct config *c)
{
	static struct addresses list;
	static struct config asked;
	const char *host, *failure;
	uint64_t began = clock_ms();
	char why[512];
	int fd;

	/* If a name does not resolve, ask the other addresses. */
	asked = *c;
	for (unsigned i = 0; i < c->service[0].bind.count; i++)
		asked.service[0].bind.address[i].optional = true;
	if (addresses_find(&list, &asked, NULL, why, sizeof(why)) == -1 ||
	    list.count == 0) {
		printf("echod: %s\n",
		    list.count == 0 && list.remarks > 0 ? list.remark[0] : why);
		return 1;
	}
	host = check_target(check_first(&list));
	fd = check_dial(host, c->service[0].port);
	failure = fd == -1 ? strerror(errno) : check_round_trip(fd, c);
	if (fd != -1)
		close(fd);
	if (failure != NULL)
		printf("echod on %s port %u: %s\n", host, c->service[0].port,
		    failure);
	else
		printf("echod on %s port %u: ok, %llu ms\n", host,
		    c->service[0].port,
		    (unsigned long long)(clock_ms() - began));
	return failure != NULL;
}
