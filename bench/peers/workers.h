/* SPDX-License-Identifier: ISC */
/*
 * What the peers in C share that have a process for each worker: a listening
 * socket, the processes, and the settings of a connection.
 */
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A nonblocking listener on 127.0.0.1, by itself or one of several. */
static inline int
listen_on(const char *port, bool one_of_several)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (one_of_several &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		err(1, "SO_REUSEPORT");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "bind");
	if (listen(fd, 1024) < 0)
		err(1, "listen");
	return fd;
}

/* Send what there is at once. */
static inline void
no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Returns in each of the workers; the parent waits and ends with the first. */
static inline void
fork_workers(int count)
{
	pid_t parent = getpid();

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			if (getppid() != parent)
				_exit(1);
			return;
		}
	}
	wait(NULL);
	exit(1);
}
