/* SPDX-License-Identifier: ISC */
/*
 * What the kernel knows about a connection.
 */
#include "worker/connection/tcp_info.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73 /* of linux/in6.h; glibc does not have it */
#endif

static bool
tcp_info_queued(int fd, unsigned long queue, size_t *bytes)
{
	int n = 0;

	if (ioctl(fd, queue, &n) == -1 || n < 0)
		return false;
	*bytes = (size_t)n;
	return true;
}

size_t
tcp_info_unread(int fd)
{
	size_t n;

	return tcp_info_queued(fd, SIOCINQ, &n) ? n : 0;
}

size_t
tcp_info_unacknowledged(int fd)
{
	size_t n;

	return tcp_info_queued(fd, SIOCOUTQ, &n) ? n : 0;
}

static bool
tcp_info_tcp_information(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

uint32_t
tcp_info_silence(int fd)
{
	struct tcp_info info;

	return tcp_info_tcp_information(fd, &info) ? info.tcpi_last_data_recv
						   : 0;
}

/*
 * The kernel counts probes since the last answer, but retransmissions since the
 * last progress.  A client without room acknowledges retransmissions and makes
 * no progress.  So the last retransmission, which was sent tcpi_rto ago at
 * most, must have had a second to be answered.
 */
uint32_t
tcp_info_unanswered(int fd)
{
	enum {
		TRIES = 3,
		ROUND_TRIP = 1000
	};
	struct tcp_info info;

	if (!tcp_info_tcp_information(fd, &info))
		return 0;
	if (info.tcpi_probes >= TRIES ||
	    (info.tcpi_retransmits >= TRIES &&
		info.tcpi_last_ack_recv > info.tcpi_rto / 1000 + ROUND_TRIP))
		return info.tcpi_last_ack_recv;
	return 0;
}

/* True if the client's FIN has arrived.  The kernel counts a FIN as a byte
 * received. */
static bool
tcp_info_fin_received(const struct tcp_info *info)
{
	/* enum in the kernel's net/tcp_states.h; glibc's names clash with
	 * linux/tcp.h. */
	enum {
		LAST_ACK = 9,
		CLOSE_WAIT = 8,
		CLOSING = 11
	};

	return info->tcpi_state == CLOSE_WAIT || info->tcpi_state == LAST_ACK ||
	    info->tcpi_state == CLOSING;
}

bool
tcp_info_has_left(int fd)
{
	enum {
		CLOSE = 7
	};
	struct tcp_info info;

	return tcp_info_tcp_information(fd, &info) &&
	    (info.tcpi_state == CLOSE ||
		(tcp_info_fin_received(&info) && tcp_info_unread(fd) == 0));
}

/*
 * Bytes read are those received (RFC 4898 tcpEStatsAppHCThruOctetsReceived)
 * minus those unread.  Bytes written are those acknowledged
 * (tcpEStatsAppHCThruOctetsAcked) plus those unacknowledged.  Segments come and
 * go between the three calls, so the calls are repeated until nothing has
 * changed.  That ends soon: the worker neither reads nor writes meanwhile, so
 * the windows fill up.  (bytes_sent - bytes_retrans + notsent would be one
 * call, but counts a segment twice that the device dropped.)
 */
bool
tcp_info_positions(int fd, uint64_t *rx, uint64_t *tx)
{
	enum {
		CLOSE = 7
	};
	struct tcp_info before, after;
	size_t unread, unacknowledged;

	if (!tcp_info_tcp_information(fd, &after))
		return false;
	do {
		before = after;
		/* An error must not count as 0: stale bytes of scratch would
		 * look received, and would be sent. */
		if (!tcp_info_queued(fd, SIOCINQ, &unread) ||
		    !tcp_info_queued(fd, SIOCOUTQ, &unacknowledged) ||
		    !tcp_info_tcp_information(fd, &after))
			return false;
		if (after.tcpi_state == CLOSE) {
			errno = ECONNRESET;
			return false;
		}
	} while (before.tcpi_bytes_received != after.tcpi_bytes_received ||
	    before.tcpi_bytes_acked != after.tcpi_bytes_acked ||
	    before.tcpi_state != after.tcpi_state);
	*rx = after.tcpi_bytes_received - unread -
	    tcp_info_fin_received(&after);
	*tx = after.tcpi_bytes_acked + unacknowledged;
	return true;
}

uint64_t
tcp_info_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == -1)
		return 0;
	return cookie;
}

void
tcp_info_hear(int fd)
{
	static const int hops = 0;

	/* One of the two options does not apply to the socket. */
	(void)setsockopt(fd, IPPROTO_IP, IP_MINTTL, &hops, sizeof(hops));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &hops,
	    sizeof(hops));
}
