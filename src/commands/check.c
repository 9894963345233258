/* SPDX-License-Identifier: ISC */
/*
 * The health check: a client of each service, which asks in the service's own
 * way.
 */
#include "commands/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "config/addresses.h"
#include "handler/services.h"
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

static bool
check_is_right(const struct image_entry *e, const char *reply, size_t got)
{
	if (e->answers == 0)
		return true;
	if (e->answer_size == 0)
		return got == 0;
	return got >= e->answer_size &&
	    memcmp(reply, e->answer, e->answer_size) == 0;
}

/* Send the probe of the service's handler and a FIN, and read the answer, or
 * until EOF.  Returns the reason of a failure, or NULL. */
static const char *
check_round_trip(int fd, const struct service_config *c,
    const struct image_entry *e)
{
	/* The header of a connection that was not relayed (PROXY protocol,
	 * 2.1). */
	static const char header[] = "PROXY UNKNOWN\r\n";
	size_t header_len = c->proxy_protocol == PROXY_PROTOCOL_ON
	    ? sizeof(header) - 1
	    : 0;
	char reply[IMAGE_PROBE];
	size_t got = 0;
	ssize_t n = 0;

	if (send(fd, header, header_len, MSG_NOSIGNAL | MSG_MORE) !=
		(ssize_t)header_len ||
	    send(fd, e->probe, e->probe_size, MSG_NOSIGNAL) !=
		(ssize_t)e->probe_size ||
	    shutdown(fd, SHUT_WR) == -1)
		return strerror(errno);
	while ((e->answer_size == 0 || got < e->answer_size) &&
	    got < sizeof(reply) &&
	    (n = recv(fd, reply + got, sizeof(reply) - got, 0)) > 0)
		got += (size_t)n;
	if (n == -1)
		return errno == EAGAIN ? "no answer" : strerror(errno);
	return check_is_right(e, reply, got) ? NULL : "wrong answer";
}

/* The first address of service `k` that this machine has; NULL if there is no
 * address. */
static const struct address *
check_first(const struct addresses *list, unsigned k)
{
	const struct address *first = NULL;
	struct sockaddr_storage ss;
	socklen_t len;

	for (unsigned i = 0; i < list->count; i++) {
		if (list->address[i].service != k)
			continue;
		len = address_fill(&ss, list->address[i].host, 0);
		if (len > 0 && address_is_here(&ss, len))
			return &list->address[i];
		if (first == NULL)
			first = &list->address[i];
	}
	return first;
}

/* Returns true if the service answers as its handler does. */
static bool
check_service(const struct service_config *c, const struct image_entry *e,
    const struct address *a)
{
	const char *host, *failure;
	uint64_t began = clock_ms();
	bool named = strcmp(c->name, CONFIG_SERVICE_DEFAULT) != 0;
	int fd;

	if (a == NULL) {
		printf("echod: service %s has no address\n", c->name);
		return false;
	}
	host = check_target(a);
	fd = check_dial(host, c->port);
	failure = fd == -1 ? strerror(errno) : check_round_trip(fd, c, e);
	if (fd != -1)
		close(fd);
	printf("echod on %s port %u%s%s: ", host, c->port,
	    named ? ", service " : "", named ? c->name : "");
	if (failure != NULL)
		printf("%s\n", failure);
	else
		printf("ok, %llu ms\n",
		    (unsigned long long)(clock_ms() - began));
	return failure == NULL;
}

/* What the handlers of the services are asked, and answer.  Returns NULL, or
 * the reason why that is not known. */
static const char *
check_learn(const struct config *c, struct image *image)
{
	static struct image_request r;
	static char why[IMAGE_WHY];
	int memfd = image_memfd();
	bool known;

	if (memfd == -1)
		return strerror(errno);
	services_request(c, &r);
	known = image_make(memfd, &r, why, sizeof(why)) == 0 &&
	    image_read(memfd, &r, image, why, sizeof(why)) == 0;
	close(memfd);
	return known ? NULL : why;
}

int
check(const struct config *c)
{
	static struct addresses list;
	static struct config asked;
	static struct image image;
	const char *unknown;
	char why[512];
	bool good = true;

	/* If a name does not resolve, ask the other addresses. */
	asked = *c;
	for (unsigned k = 0; k < c->services; k++)
		for (unsigned i = 0; i < c->service[k].bind.count; i++)
			asked.service[k].bind.address[i].optional = true;
	if (addresses_find(&list, &asked, NULL, why, sizeof(why)) == -1 ||
	    list.count == 0) {
		printf("echod: %s\n",
		    list.count == 0 && list.remarks > 0 ? list.remark[0] : why);
		return 1;
	}
	if ((unknown = check_learn(c, &image)) != NULL) {
		printf("echod: %s\n", unknown);
		return 1;
	}
	for (unsigned k = 0; k < c->services; k++)
		good = check_service(&c->service[k], &image.entry[k],
			   check_first(&list, k)) &&
		    good;
	return good ? 0 : 1;
}
