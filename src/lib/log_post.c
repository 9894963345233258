/* SPDX-License-Identifier: ISC */
/*
 * From workers to the master: lines that a worker cannot deliver.
 */
#include "lib/log_post.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* For the master, for workers. */
static int end[2] = { -1, -1 };

/* In packets, pipe(2): what was written at once is read at once. */
int
log_post_open(void)
{
	return pipe2(end, O_DIRECT | O_CLOEXEC | O_NONBLOCK);
}

int
log_post_send(unsigned sink, const char *line, size_t len)
{
	char packet[LOG_POST_BYTES];

	if (len > sizeof(packet) - 2)
		len = sizeof(packet) - 2;
	packet[0] = (char)sink;
	memcpy(packet + 1, line, len);
	/* All processes have both ends: the number never leads nowhere. */
	return write(end[1], packet, len + 1) == -1 ? errno : 0;
}

int
log_post_take(char *line, size_t *len)
{
	char packet[LOG_POST_BYTES];
	ssize_t n;

	if (end[0] == -1)
		return -1;
	n = read(end[0], packet, sizeof(packet));
	if (n < 1 || (unsigned char)packet[0] > LOG_POST_LAST)
		return -1;
	*len = (size_t)n - 1;
	memcpy(line, packet + 1, *len);
	line[*len] = '\0';
	return packet[0];
}

int
log_post_writer(void)
{
	return end[1];
}

void
log_post_use(int fd)
{
	end[1] = fd;
}

int
log_post_descriptor(void)
{
	return end[0];
}
