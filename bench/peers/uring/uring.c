/* SPDX-License-Identifier: ISC */
/*
 * An echo server: an io_uring in each process.  A connection has one request
 * under way, a recv or a send; one accept serves for all connections.
 *
 * usage: uring PORT WORKERS, or: uring probe 0, which fails without io_uring
 */
#include <errno.h>
#include <liburing.h>
#include <string.h>

#include "../workers.h"

#define ENTRIES 4096

struct connection {
	int fd;
	int size, sent; /* of the buffer; 0 while it is being filled */
	char buffer[16384];
};

static struct io_uring ring;
static int listener;

static struct io_uring_sqe *
entry(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (sqe == NULL) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	if (sqe == NULL)
		errx(1, "no entry");
	return sqe;
}

static void
want_accept(void)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	io_uring_sqe_set_data(sqe, NULL);
}

static void
want_recv(struct connection *c)
{
	struct io_uring_sqe *sqe = entry();

	c->size = 0;
	io_uring_prep_recv(sqe, c->fd, c->buffer, sizeof(c->buffer), 0);
	io_uring_sqe_set_data(sqe, c);
}

static void
want_send(struct connection *c)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_send(sqe, c->fd, c->buffer + c->sent, c->size - c->sent,
	    0);
	io_uring_sqe_set_data(sqe, c);
}

static void
accepted(int fd, bool more)
{
	struct connection *c;

	if (!more)
		want_accept();
	if (fd < 0)
		return;
	c = malloc(sizeof(*c));
	if (c == NULL) {
		close(fd);
		return;
	}
	c->fd = fd;
	no_delay(fd);
	want_recv(c);
}

static void
proceed(struct connection *c, int result)
{
	if (result <= 0) {
		close(c->fd);
		free(c);
		return;
	}
	if (c->size == 0) {
		c->size = result;
		c->sent = 0;
	} else {
		c->sent += result;
	}
	if (c->sent < c->size)
		want_send(c);
	else
		want_recv(c);
}

/* A ring that works when it is waited for, if the kernel has it. */
static int
open_ring(void)
{
	int status = io_uring_queue_init(ENTRIES, &ring,
	    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);

	return status == -EINVAL ? io_uring_queue_init(ENTRIES, &ring, 0)
				 : status;
}

int
main(int argc, char **argv)
{
	int status;

	if (argc != 3)
		errx(1, "usage: uring PORT WORKERS");
	if (strcmp(argv[1], "probe") == 0)
		return open_ring() < 0;
	fork_workers(atoi(argv[2]));

	listener = listen_on(argv[1], true);
	status = open_ring();
	if (status < 0)
		errx(1, "io_uring: %s", strerror(-status));
	want_accept();
	for (;;) {
		struct io_uring_cqe *cqe;
		unsigned head, count = 0;

		io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, cqe)
		{
			if (cqe->user_data == 0)
				accepted(cqe->res,
				    cqe->flags & IORING_CQE_F_MORE);
			else
				proceed(io_uring_cqe_get_data(cqe), cqe->res);
			count++;
		}
		io_uring_cq_advance(&ring, count);
	}
}
