/* SPDX-License-Identifier: ISC */
/*
 * An echo server: a libev loop in each process.  A connection either waits to
 * be read or, as long as its client takes no more, to be written.
 *
 * usage: libev PORT WORKERS
 */
#include <errno.h>
#include <ev.h>

#include "../workers.h"

struct connection {
	ev_io io;
	int size, sent; /* of the buffer, and how much of it is out */
	char buffer[16384];
};

static void
drop(struct ev_loop *loop, struct connection *c)
{
	ev_io_stop(loop, &c->io);
	close(c->io.fd);
	free(c);
}

static void
wait_for(struct ev_loop *loop, struct connection *c, int events)
{
	if ((c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(loop, &c->io);
	ev_io_modify(&c->io, events);
	ev_io_start(loop, &c->io);
}

static void
on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	struct connection *c = (struct connection *)io;
	ssize_t size;

	if (events & EV_READ) {
		size = recv(io->fd, c->buffer, sizeof(c->buffer), 0);
		if (size < 0 && errno == EAGAIN)
			return;
		if (size <= 0) {
			drop(loop, c);
			return;
		}
		c->size = size;
		c->sent = 0;
	}
	size = send(io->fd, c->buffer + c->sent, c->size - c->sent, 0);
	if (size < 0 && errno != EAGAIN) {
		drop(loop, c);
		return;
	}
	if (size > 0)
		c->sent += size;
	wait_for(loop, c, c->sent < c->size ? EV_WRITE : EV_READ);
}

static void
on_listener(struct ev_loop *loop, ev_io *io, int events)
{
	struct connection *c;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	c = malloc(sizeof(*c));
	if (c == NULL) {
		close(fd);
		return;
	}
	no_delay(fd);
	ev_io_init(&c->io, on_connection, fd, EV_READ);
	ev_io_start(loop, &c->io);
}

int
main(int argc, char **argv)
{
	struct ev_loop *loop;
	ev_io listener;

	if (argc != 3)
		errx(1, "usage: libev PORT WORKERS");
	fork_workers(atoi(argv[2]));

	loop = ev_default_loop(0);
	ev_io_init(&listener, on_listener, listen_on(argv[1], true), EV_READ);
	ev_io_start(loop, &listener);
	ev_run(loop, 0);
}
