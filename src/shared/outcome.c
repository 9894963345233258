/* SPDX-License-Identifier: ISC */
/*
 * The outcome of a reload, for processes that asked for it by a signal.
 */
#include "shared/outcome.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"

#define NAME_DIGITS 5
#define MESSAGE_BYTES 2048
/* ms.  The check of a reload takes 10 s at most, its workers' start 10 s; it
 * may have to wait for another reload before. */
#define PATIENCE 60000

bool
outcome_add(struct outcome *o, int asker)
{
	for (unsigned i = 0; i < o->askers; i++)
		if (o->asker[i] == asker)
			return true;
	if (o->askers == OUTCOME_ASKERS)
		return false;
	o->asker[o->askers++] = asker;
	return true;
}

void
outcome_forget_admin(struct outcome *o)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < o->askers; i++)
		if (o->asker[i] >= 0)
			o->asker[kept++] = o->asker[i];
	o->askers = kept;
}

const char *
outcome_format(const struct outcome *o, char *text, size_t size)
{
	char number[16];

	text[0] = '\0';
	for (unsigned i = 0; i < o->askers; i++) {
		snprintf(number, sizeof(number), "%d ", o->asker[i]);
		strlcat(text, number, size);
	}
	return text;
}

int
outcome_parse(struct outcome *o, const char *text)
{
	char *end;

	while (*text != '\0') {
		long n = strtol(text, &end, 10);

		if (end == text || *end != ' ' || n < INT_MIN || n > INT_MAX ||
		    !outcome_add(o, (int)n))
			return -1;
		text = end + 1;
	}
	return 0;
}

static socklen_t
outcome_address(struct sockaddr_un *sun, int asker)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path + 1, sizeof(sun->sun_path) - 1, "%05x",
	    (unsigned)asker & 0xfffff);
	return offsetof(struct sockaddr_un, sun_path) + 1 + NAME_DIGITS;
}

void
outcome_tell(struct outcome *o, bool done, const char *text)
{
	char message[MESSAGE_BYTES];
	struct sockaddr_un sun;
	int n, fd;

	if (o->askers == 0)
		return;
	n = snprintf(message, sizeof(message), "%c%s", done ? '0' : '1', text);
	if (n >= (int)sizeof(message))
		n = (int)sizeof(message) - 1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	for (unsigned i = 0; fd != -1 && i < o->askers; i++) {
		socklen_t len = outcome_address(&sun, o->asker[i]);

		if (o->asker[i] < 0)
			continue;
		/* An asker that has ended is not told. */
		(void)sendto(fd, message, (size_t)n, MSG_NOSIGNAL,
		    (struct sockaddr *)&sun, len);
	}
	if (fd != -1)
		close(fd);
	o->askers = 0;
}

int
outcome_open(int *asker)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sun);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int saved;

	if (fd != -1 &&
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) ==
		0 &&
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun.sun_family)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sun, &len) == 0) {
		*asker = (int)strtol(sun.sun_path + 1, NULL, 16);
		return fd;
	}
	saved = errno;
	if (fd != -1)
		close(fd);
	errno = saved;
	return -1;
}

/* Receive a datagram.  Returns its length if the process `pid` has sent it,
 * else 0. */
static size_t
outcome_receive(int fd, pid_t pid, char *text, size_t size)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec v = { text, size - 1 };
	struct msghdr msg = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	struct ucred sender = { 0, (uid_t)-1, (gid_t)-1 };

	if (header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_CREDENTIALS)
		memcpy(&sender, CMSG_DATA(header), sizeof(sender));
	if (n <= 0 || sender.pid != pid)
		return 0;
	text[n] = '\0';
	return (size_t)n;
}

int
outcome_await(int fd, pid_t pid, int pidfd, char *why, size_t size)
{
	struct pollfd p[] = { { fd, POLLIN, 0 }, { pidfd, POLLIN, 0 } };
	uint64_t deadline = clock_ms() + PATIENCE, now;
	char text[MESSAGE_BYTES];

	while ((now = clock_ms()) < deadline) {
		if (poll(p, 2, (int)(deadline - now)) == -1 && errno != EINTR)
			break;
		if (p[0].revents != 0) {
			if (outcome_receive(fd, pid, text, sizeof(text)) == 0)
				continue;
			strlcpy(why, text + 1, size);
			return text[0] == '0' ? 0 : -1;
		}
		if (p[1].revents != 0) {
			snprintf(why, size, "the master has ended");
			return -1;
		}
	}
	snprintf(why, size, "no word of it for %d s; the log may tell",
	    PATIENCE / 1000);
	return -1;
}
