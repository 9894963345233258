/* SPDX-License-Identifier: ISC */
/*
 * An echo server: a libevent loop with buffer events in each process.  If a
 * client does not take its answers, it is not read.
 *
 * usage: libevent PORT WORKERS
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "../workers.h"

#define OUTPUT_MAX 65536

static void
on_read(struct bufferevent *bev, void *argument)
{
	struct evbuffer *out = bufferevent_get_output(bev);

	(void)argument;
	evbuffer_add_buffer(out, bufferevent_get_input(bev));
	if (evbuffer_get_length(out) > OUTPUT_MAX)
		bufferevent_disable(bev, EV_READ);
}

static void
on_written(struct bufferevent *bev, void *argument)
{
	(void)argument;
	bufferevent_enable(bev, EV_READ);
}

static void
on_event(struct bufferevent *bev, short events, void *argument)
{
	(void)argument;
	if (events & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		bufferevent_free(bev);
}

static void
on_listener(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int size, void *argument)
{
	struct bufferevent *bev;

	(void)listener;
	(void)address;
	(void)size;
	bev = bufferevent_socket_new(argument, fd, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		evutil_closesocket(fd);
		return;
	}
	no_delay(fd);
	bufferevent_setcb(bev, on_read, on_written, on_event, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

int
main(int argc, char **argv)
{
	struct event_base *base;

	if (argc != 3)
		errx(1, "usage: libevent PORT WORKERS");
	fork_workers(atoi(argv[2]));

	base = event_base_new();
	if (base == NULL)
		errx(1, "event_base_new");
	if (evconnlistener_new(base, on_listener, base, LEV_OPT_CLOSE_ON_FREE,
		0, listen_on(argv[1], true)) == NULL)
		errx(1, "evconnlistener_new");
	event_base_dispatch(base);
}
