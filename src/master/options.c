/*
 * The options of listening sockets.
 *
 * Accepted sockets inherit them: nothing need be set per client.
 */
#include "master/options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/*
 * What the kernel takes for a client and has not sent yet, bytes, more or less.
 * Else it is as much as net.ipv4.tcp_wmem says, 4 MiB for each client that
 * does not read: some hundreds of them use up the memory of all TCP on the
 * machine (tcp_mem), and everybody suffers.
 */
#define NOTSENT_MAX (256 * 1024)

int
options_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

int
options_initial(int fd, int family)
{
	if (options_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1 ||
	    options_set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
	    /* Urgent bytes are bytes: the kernel counts them as received. */
	    options_set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == -1)
		return -1;
	return family == AF_INET6 ?
	    options_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
}

/* As Redis does: the first probe after `idle` s of silence, the client given
 * up after three more at a third of it each. */
static int
set_keepalive(int fd, unsigned idle)
{
	int interval = idle / 3 > 0 ? (int)(idle / 3) : 1;

	if (idle == 0)
		return options_set(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (options_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == -1 ||
	    options_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle) == -1 ||
	    options_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval) == -1 ||
	    options_set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3) == -1)
		return -1;
	return 0;
}

int
options_adjust(int fd, const struct config *c)
{
	if (options_set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_MAX) == -1)
		return -1;
	return set_keepalive(fd, c->tcp_keepalive);
}
