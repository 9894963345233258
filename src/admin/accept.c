/* SPDX-License-Identifier: ISC */
/*
 * Taking clients from the listeners of the control socket and the metrics.
 */
#include "admin/accept.h"

bool
accept_is_listener(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	    listens != 0;
}

/* The clients' accept4 is the worker's, whose recovery depends on how it is
 * used. */
int
accept_client(int listener, struct sockaddr *peer, socklen_t *len)
{
	return accept4(listener, peer, len, SOCK_CLOEXEC | SOCK_NONBLOCK);
}
