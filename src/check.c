/*
 * The health check: one echo round trip as a client of the service.
 */
#include "check.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/clock.h"

#define PATIENCE_S 3

/* Who listens on every address is asked on the loopback one. */
static const char *
target(const struct bind_address *a)
{
	if (strcmp(a->host, "0.0.0.0") == 0)
		return "127.0.0.1";
	if (strcmp(a->host, "::") == 0)
		return "::1";
	return a->host;
}

/* Returns a connected socket, or -1 with errno set. */
static int
dial(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST |
		AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct addrinfo *ai;
	int fd, saved;

	if (getaddrinfo(host, port, &hints, &ai) != 0) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* SO_SNDTIMEO bounds connect(2) as well, socket(7). */
	if (fd != -1 && (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience)) == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO,
	    &patience, sizeof(patience)) == -1 ||
	    connect(fd, ai->ai_addr, ai->ai_addrlen) == -1)) {
		saved = errno == EINPROGRESS ? ETIMEDOUT : errno;
		close(fd);
		fd = -1;
		errno = saved;
	}
	saved = errno;
	freeaddrinfo(ai);
	errno = saved;
	return fd;
}

/* Send a line, say FIN, read until EOF.  Returns the reason of a failure, or
 * NULL. */
static const char *
round_trip(int fd, const struct config *c)
{
	/* Of a connection that nobody relayed (PROXY protocol, 2.1). */
	static const char header[] = "PROXY UNKNOWN\r\n";
	size_t header_len = c->proxy_protocol == PROXY_PROTOCOL_ON ?
	    sizeof(header) - 1 : 0;
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
	if (got != (c->handler != HANDLER_DISCARD ? len : 0) || memcmp(reply, line, got) != 0)
		return "wrong answer";
	return NULL;
}

/* True if this machine does not have the address, so that the service skips
 * it if it may. */
static bool
not_available(const char *host)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	bool absent;
	int fd;

	if (getaddrinfo(host, "0", &hints, &ai) != 0)
		return true;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	absent = fd == -1 || bind(fd, ai->ai_addr, ai->ai_addrlen) == -1;
	if (fd != -1)
		close(fd);
	freeaddrinfo(ai);
	return absent;
}

/* The first address that the service listens on. */
static const struct bind_address *
first_address(const struct bind_list *list)
{
	for (unsigned i = 0; i < list->count; i++)
		if (!list->address[i].optional ||
		    !not_available(list->address[i].host))
			return &list->address[i];
	return &list->address[0];
}

int
check(const struct config *c)
{
	const char *host = target(first_address(&c->bind)), *failure;
	uint64_t began = clock_ms();
	char port[8];
	int fd;

	snprintf(port, sizeof(port), "%u", c->port);
	fd = dial(host, port);
	failure = fd == -1 ? strerror(errno) :
	    round_trip(fd, c);
	if (fd != -1)
		close(fd);
	if (failure != NULL)
		printf("echod on %s port %s: %s\n", host, port, failure);
	else
		printf("echod on %s port %s: ok, %llu ms\n", host, port,
		    (unsigned long long)(clock_ms() - began));
	return failure != NULL;
}
