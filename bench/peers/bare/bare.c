/* SPDX-License-Identifier: ISC */
/*
 * The least an echo server can do: poll(), recv(), send().  No lines, no
 * limits, no state; a client that doesn't read stops its worker.  The workers
 * share a listener.
 *
 * usage: bare PORT WORKERS
 */
#include <errno.h>
#include <poll.h>

#include "../workers.h"

#define CONNECTIONS_MAX 20000

static struct pollfd fds[CONNECTIONS_MAX]; /* the listener is the first */
static char buffer[65536];

/* Send all of it, waiting for the client if need be. */
static bool
send_all(int fd, ssize_t size)
{
	for (ssize_t done = 0; done < size;) {
		ssize_t sent = send(fd, buffer + done, size - done, 0);

		if (sent < 0 && errno != EINTR)
			return false;
		if (sent > 0)
			done += sent;
	}
	return true;
}

/* False if the connection has ended. */
static bool
echo(int fd)
{
	ssize_t size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (size > 0)
		return send_all(fd, size);
	return size < 0 && (errno == EAGAIN || errno == EINTR);
}

int
main(int argc, char **argv)
{
	int count = 1;

	if (argc != 3)
		errx(1, "usage: bare PORT WORKERS");
	fds[0] = (struct pollfd){ listen_on(argv[1], false), POLLIN, 0 };
	fork_workers(atoi(argv[2]));

	for (;;) {
		int ready = poll(fds, count, -1);
		bool accepting = ready > 0 && fds[0].revents != 0;

		ready -= accepting;
		for (int i = count - 1; i > 0 && ready > 0; i--) {
			if (fds[i].revents == 0)
				continue;
			ready--;
			if (!echo(fds[i].fd)) {
				close(fds[i].fd);
				fds[i] = fds[--count];
			}
		}
		if (accepting && count < CONNECTIONS_MAX) {
			int fd = accept(fds[0].fd, NULL, NULL);

			if (fd < 0)
				continue;
			no_delay(fd);
			fds[count++] = (struct pollfd){ fd, POLLIN, 0 };
		}
	}
}
