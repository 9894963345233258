/* SPDX-License-Identifier: ISC */
/*
 * Addresses of `bind` that this machine did not have when it was asked.
 */
#include "master/listeners/late.h"

#include <sys/eventfd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "master/listeners/listen.h"
#include "master/listeners/listener.h"
#include "shared/service.h"

/* The time between two looks while an address is missing, ms. */
#define LATE_AGAIN 1000

static void
late_tell(const struct listener *l)
{
	log_notice("bind %s: available now, and listened on", l->name);
}

/* Look at listeners without an address.  Returns true if an address has come;
 * sets `missing` if one has not. */
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

/* Open listeners for addresses that have none.  Returns true if one was opened;
 * sets `missing` if an address is still missing. */
static bool
late_open(struct service_state *o, const struct config *c,
    const struct addresses *wanted, bool *missing)
{
	struct listener l;
	bool any = false;

	while (o->listeners < ARENA_LISTENERS_MAX &&
	    listen_missing(o, c, wanted, &l)) {
		o->listener[o->listeners++] = l;
		if ((l.flags & LISTENER_ABSENT) != 0)
			*missing = true;
		else
			late_tell(&l);
		any = true;
	}
	*missing |= listen_misses(o, wanted);
	return any;
}

void
late_step(struct late *late, const struct arena *a, struct service_state *s,
    const struct config *c, const struct addresses *wanted)
{
	bool missing = false, any;

	if (clock_ms() < late->look_at)
		return;
	any = late_notice(s, &missing);
	any |= late_open(s, c, wanted, &missing);
	late->look_at = missing ? clock_ms() + LATE_AGAIN : CLOCK_NEVER;
	if (!any)
		return;
	service_publish(a, s);
	for (unsigned k = 0; k < s->workers; k++)
		(void)eventfd_write(s->slot[k].wake_fd, 1);
	listen_announce(s);
}

uint64_t
late_next(const struct late *late)
{
	return late->look_at;
}
