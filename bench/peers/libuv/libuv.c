/* SPDX-License-Identifier: ISC */
/*
 * An echo server: a libuv loop in each process.  What is read is written at
 * once if the socket takes it; what it does not take, uv_write() keeps, and
 * meanwhile nothing more is read.
 *
 * usage: libuv PORT WORKERS
 */
#include <uv.h>

#include "../workers.h"

struct connection {
	uv_tcp_t tcp;
	uv_write_t request;
	char buffer[16384];
};

static void start_reading(struct connection *c);

static void
on_close(uv_handle_t *handle)
{
	free(handle);
}

static void
drop(struct connection *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, on_close);
}

static void
on_written(uv_write_t *request, int status)
{
	struct connection *c = (struct connection *)request->handle;

	if (status < 0)
		drop(c);
	else
		start_reading(c);
}

static void
on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
	struct connection *c = (struct connection *)handle;

	(void)size;
	*buffer = uv_buf_init(c->buffer, sizeof(c->buffer));
}

static void
on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct connection *c = (struct connection *)stream;
	uv_buf_t out = uv_buf_init(buffer->base, size > 0 ? size : 0);
	int sent;

	if (size < 0) {
		drop(c);
		return;
	}
	if (size == 0)
		return;
	sent = uv_try_write(stream, &out, 1);
	if (sent == size)
		return;
	if (sent < 0 && sent != UV_EAGAIN) {
		drop(c);
		return;
	}
	if (sent > 0) {
		out.base += sent;
		out.len -= sent;
	}
	uv_read_stop(stream);
	if (uv_write(&c->request, stream, &out, 1, on_written) < 0)
		drop(c);
}

static void
start_reading(struct connection *c)
{
	if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		drop(c);
}

static void
on_listener(uv_stream_t *listener, int status)
{
	struct connection *c;

	if (status < 0)
		return;
	c = malloc(sizeof(*c));
	if (c == NULL)
		err(1, "malloc");
	uv_tcp_init(listener->loop, &c->tcp);
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0) {
		drop(c);
		return;
	}
	uv_tcp_nodelay(&c->tcp, 1);
	start_reading(c);
}

static void
check(int status, const char *what)
{
	if (status < 0)
		errx(1, "%s: %s", what, uv_strerror(status));
}

int
main(int argc, char **argv)
{
	uv_loop_t *loop;
	uv_tcp_t listener;

	if (argc != 3)
		errx(1, "usage: libuv PORT WORKERS");
	fork_workers(atoi(argv[2]));

	loop = uv_default_loop();
	uv_tcp_init(loop, &listener);
	check(uv_tcp_open(&listener, listen_on(argv[1], true)), "uv_tcp_open");
	check(uv_listen((uv_stream_t *)&listener, 1024, on_listener),
	    "uv_listen");
	return uv_run(loop, UV_RUN_DEFAULT);
}
