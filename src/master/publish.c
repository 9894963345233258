/* SPDX-License-Identifier: ISC */
/*
 * What the master says of itself in the service state.
 */
#include "master/publish.h"

void
publish_state(const struct master *m)
{
	struct service_state *s = m->service;

	s->mode = m->stop.phase != STOP_NONE ? SERVICE_STOPPING
	    : m->reload.phase != RELOAD_NONE ? SERVICE_RELOADING
					     : SERVICE_SERVING;
	for (unsigned k = 0; k < s->workers; k++) {
		s->slot[k].pid = m->child[k].pid;
		s->slot[k].stopped = m->child[k].pid != 0 &&
		    m->child[k].stopped != 0;
	}
}
