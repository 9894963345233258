/* SPDX-License-Identifier: ISC */
/*
 * What the master says of itself in the service state.
 */
#include "master/publish.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* For an administration process that cannot ask the kernel by itself. */
static void
publish_queues(struct service_state *s)
{
	for (unsigned i = 0; i < s->listeners; i++) {
		struct tcp_info info;
		socklen_t len = sizeof(info);

		memset(&info, 0, sizeof(info));
		(void)getsockopt(s->listener[i].fd, IPPROTO_TCP, TCP_INFO,
		    &info, &len);
		/* These are their names on a listener: tcp_get_info() of the
		 * kernel. */
		s->queue[i].waiting = info.tcpi_unacked;
		s->queue[i].limit = info.tcpi_sacked;
	}
}

void
publish_state(const struct master *m)
{
	struct service_state *s = m->service;

	s->mode = m->stop.phase != STOP_NONE ? SERVICE_STOPPING
	    : m->reload.phase != RELOAD_NONE ? SERVICE_RELOADING
					     : SERVICE_SERVING;
	for (unsigned k = 0; k < s->workers; k++) {
		s->slot[k].stopped = m->child[k].pid != 0 &&
		    m->child[k].stopped != 0;
	}
	if (m->admin.pid != 0)
		publish_queues(s);
}
