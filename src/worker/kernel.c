/*
 * What the kernel knows about a connection.
 */
#include "worker/kernel.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

size_t
kernel_unread(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCINQ, &n) == -1 || n < 0 ? 0 : (size_t)n;
}

size_t
kernel_unacknowledged(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) == -1 || n < 0 ? 0 : (size_t)n;
}

uint32_t
kernel_silence(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return 0;
	return info.tcpi_last_data_recv;
}
