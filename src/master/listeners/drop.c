/* SPDX-License-Identifier: ISC */
/*
 * Listeners that a reload has dropped.
 *
 * New handshakes are kept out (listener_drop_syns()).  A client whose handshake
 * has begun may still finish it, but its last packet does not wake a worker
 * before a worker has accepted it; so workers are asked again and again.
 */
#include "master/listeners/drop.h"

#include <sys/eventfd.h>

#include "lib/clock.h"
#include "master/listeners/listen.h"
#include "shared/service.h"

/* How long clients have to finish a handshake, ms, and how often workers look
 * for them in that time. */
#define DROP_PATIENCE 300
#define DROP_LOOKS 10
/* How often workers are asked for the last time, each time with DROP_PATIENCE,
 * before the listeners are closed in any case. */
#define DROP_ASKS 10

static void
drop_ask(struct drop_progress *d, const struct arena *a,
    const struct service_state *s, enum drop how)
{
	atomic_store(&a->header->drop, how);
	d->at = clock_ms() +
	    (how == DROP_ASKED_LAST ? DROP_PATIENCE
				    : DROP_PATIENCE / DROP_LOOKS);
	for (unsigned k = 0; k < s->workers; k++)
		(void)eventfd_write(s->slot[k].wake_fd, 1);
}

void
drop_step(struct drop_progress *d, const struct arena *a,
    struct service_state *s)
{
	if (s->dropped == 0)
		return;
	if (atomic_load(&a->header->drop) == DROP_EMPTIED)
		listen_drop(a, s);
	else if (clock_ms() >= d->at) {
		/* The worker that took the request may have died, or may be
		 * out of descriptors. */
		if (++d->asks < DROP_LOOKS)
			drop_ask(d, a, s, DROP_ASKED);
		else if (d->asks < DROP_LOOKS + DROP_ASKS)
			drop_ask(d, a, s, DROP_ASKED_LAST);
		else
			listen_drop(a, s);
	}
}

void
drop_begin(struct drop_progress *d, const struct arena *a,
    struct service_state *s)
{
	if (s->dropped == 0)
		return;
	d->asks = 0;
	listen_drop_syns(s);
	drop_ask(d, a, s, DROP_ASKED);
}

uint64_t
drop_next(const struct drop_progress *d, const struct service_state *s)
{
	return s->dropped > 0 ? d->at : CLOCK_NEVER;
}
