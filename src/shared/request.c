/* SPDX-License-Identifier: ISC */
/*
 * Messages between the master and the administration process.
 */
#include "shared/request.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
request_pair(int end[2])
{
	int on = 1, saved;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, end) == -1)
		return -1;
	if (setsockopt(end[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
	    setsockopt(end[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0)
		return 0;
	saved = errno;
	close(end[0]);
	close(end[1]);
	errno = saved;
	return -1;
}

bool
request_is_pair(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_SEQPACKET;
}

enum received
request_receive(int fd, pid_t pid, void *message, size_t size, pid_t *from)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec v = { message, size };
	struct msghdr msg = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	struct ucred sender = { 0, (uid_t)-1, (gid_t)-1 };

	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? RECEIVED_NOTHING
							 : RECEIVED_END;
	if (header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_CREDENTIALS)
		memcpy(&sender, CMSG_DATA(header), sizeof(sender));
	else if (n == 0)
		return RECEIVED_END;
	*from = sender.pid;
	return sender.pid == pid && (size_t)n == size &&
		(msg.msg_flags & MSG_TRUNC) == 0
	    ? RECEIVED_IT
	    : RECEIVED_FOREIGN;
}

int
request_send(int fd, const void *message, size_t size)
{
	return send(fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
		(ssize_t)size
	    ? 0
	    : -1;
}
