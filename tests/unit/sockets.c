/* SPDX-License-Identifier: ISC */
/*
 * Sockets of the tests.
 */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PATIENCE 5000 /* ms until something must have happened */

void
die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

int
checked(int result, const char *what)
{
	if (result == -1)
		die(what);
	return result;
}

int
listen_somewhere(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
	    "socket");

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	checked(bind(fd, (struct sockaddr *)address, len), "bind");
	checked(listen(fd, 64), "listen");
	checked(getsockname(fd, (struct sockaddr *)address, &len),
	    "getsockname");
	return fd;
}

int
connect_to(const struct sockaddr_in *address, int receive_buffer)
{
	int fd = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");

	if (receive_buffer != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
		    sizeof(receive_buffer));
	checked(connect(fd, (const struct sockaddr *)address, sizeof(*address)),
	    "connect");
	return fd;
}

void
await(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	if (poll(&p, 1, PATIENCE) != 1)
		die("await");
}
