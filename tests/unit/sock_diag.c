/* SPDX-License-Identifier: ISC */
/*
 * What the administration process is told of sockets that it does not have: by
 * the kernel, or by the master where the kernel refuses.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/sock_diag.h"
#include "rig.h"
#include "tap.h"

static struct view view;

static void
set_up(void)
{
	rig_up();
	rig.config.service[0].port = ntohs(rig.address.sin_port);
	snprintf(rig.service->listener[0].name,
	    sizeof(rig.service->listener[0].name), "127.0.0.1:%u",
	    rig.config.service[0].port);
	rig.service->queue[0].waiting = 77;
	rig.service->queue[0].limit = 99;
	view = (struct view){ .arena = &rig.arena,
		.service = rig.service,
		.config = &rig.config };
}

static bool
queue_is(unsigned waiting, unsigned limit)
{
	unsigned w, l;

	sock_diag_queue(0, &w, &l);
	return w == waiting && l == limit;
}

int
main(void)
{
	struct pair p;
	uint64_t ms = 0;
	int netlink;

	rig_begin();
	set_up();
	p = opened();
	(void)connect_to(&rig.address, 0);
	netlink = checked(dup(0), "dup");
	close(netlink);
	sock_diag_begin(&view);
	if (!is_open(netlink)) {
		printf("# the kernel has no sock_diag(7) here\n");
		return tap_done();
	}
	ok(queue_is(1, rig.config.service[0].tcp_backlog),
	    "the queue of a listener");
	sock_diag_look();
	ok(sock_diag_idle(p.c->cookie, &ms) && ms < PATIENCE,
	    "when a connection's last byte came or went");
	ok(!sock_diag_idle(p.c->cookie + 1000000, &ms),
	    "nothing of a connection that there is not");

	/* As in a container that refuses it: what is asked is no socket. */
	checked(dup2(0, netlink), "dup2");
	(void)poll(NULL, 0, 250); /* what is known is too old by then */
	sock_diag_look();
	ok(!sock_diag_idle(p.c->cookie, &ms), "without the kernel: not known");
	ok(queue_is(77, 99), "without the kernel: as the master saw it");
	return tap_done();
}
