/* SPDX-License-Identifier: ISC */
/*
 * Addresses of `bind` that this machine did not have.
 */
#include "master/listeners/late.h"

#include <sys/eventfd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/title.h"
#include "master/listeners/listen.h"
#include "master/listeners/listener.h"

/* How often is looked while one is missing, ms. */
#define LATE_AGAIN 1000

static uint64_t look_at;

/* A reload and a stop have listeners in their hands. */
static bool
late_may_look(const struct master *m)
{
	return m->stop.phase == STOP_NONE && m->reload.phase == RELOAD_NONE &&
	    m->service->dropped == 0;
}

static void
late_tell(const struct listener *l)
{
	log_notice("bind %s: available now, and listened on", l->name);
}

/* Returns true if one has come; `missing` is set if one has not. */
static bool
late_notice(struct service_state *o, bool *missing)
{
	bool any = false;

	for (unsigned i = 0; i < o->listeners; i++) {
		struct listener *l = &o->listener[i];

		if ((l->flags & LISTENER_ABSENT) == 0)
			continue;
		if (!listener_has_address(l->fd)) {
			*missing = true;
			continue;
		}
		l->flags &= ~LISTENER_ABSENT;
		late_tell(l);
		any = true;
	}
	return any;
}

/* The same. */
static bool
late_open(struct master *m, bool *missing)
{
	struct service_state *o = m->service;
	struct listener l;
	bool any = false;

	while (o->listeners < ARENA_LISTENERS_MAX &&
	    listen_missing(m->service, m->config, &l)) {
		o->listener[o->listeners++] = l;
		if ((l.flags & LISTENER_ABSENT) != 0)
			*missing = true;
		else
			late_tell(&l);
		any = true;
	}
	*missing |= listen_misses(m->service);
	return any;
}

void
late_step(struct master *m)
{
	bool missing = false, any;

	if (!late_may_look(m) || clock_ms() < look_at)
		return;
	any = late_notice(m->service, &missing);
	any |= late_open(m, &missing);
	look_at = missing ? clock_ms() + LATE_AGAIN : CLOCK_NEVER;
	if (!any)
		return;
	service_publish(&m->arena, m->service);
	for (unsigned k = 0; k < m->service->workers; k++)
		(void)eventfd_write(m->service->slot[k].wake_fd, 1);
	title_set("master [%s]", listen_names(m->service));
}

uint64_t
late_next(const struct master *m)
{
	return late_may_look(m) ? look_at : CLOCK_NEVER;
}
