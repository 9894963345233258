/* SPDX-License-Identifier: ISC */
/*
 * Listeners that a reload dropped: clients that wait at them are taken, then they
 * are closed.
 */
#include "master/listeners/drop.h"

#include <sys/eventfd.h>

#include "lib/clock.h"
#include "master/listeners/listen.h"

/* How long clients have to end a handshake that they began with a listener
 * that is dropped, ms; and how often they are looked for meanwhile, since the
 * kernel does not hear them before a worker has taken them (listener.c). */
#define DROP_PATIENCE 300
#define DROP_LOOKS 10
/* How often workers are asked for the last time before it is closed all the
 * same, each DROP_PATIENCE long. */
#define DROP_ASKS 10

static void
drop_ask(struct master *m, enum drop how)
{
	atomic_store(&m->arena.header->drop, how);
	m->reload.drop_at = clock_ms() +
	    (how == DROP_ASKED_LAST ? DROP_PATIENCE
				    : DROP_PATIENCE / DROP_LOOKS);
	for (unsigned k = 0; k < m->service->workers; k++)
		(void)eventfd_write(m->service->slot[k].wake_fd, 1);
}

void
drop_step(struct master *m)
{
	if (m->service->dropped == 0)
		return;
	if (atomic_load(&m->arena.header->drop) == DROP_EMPTIED)
		listen_drop(&m->arena, m->service);
	else if (clock_ms() >= m->reload.drop_at) {
		/* The worker that we asked may have died, or have no descriptor left. */
		if (++m->reload.drops < DROP_LOOKS)
			drop_ask(m, DROP_ASKED);
		else if (m->reload.drops < DROP_LOOKS + DROP_ASKS)
			drop_ask(m, DROP_ASKED_LAST);
		else
			listen_drop(&m->arena, m->service);
	}
}

void
drop_begin(struct master *m)
{
	if (m->service->dropped == 0)
		return;
	m->reload.drops = 0;
	listen_drop_syns(m->service);
	drop_ask(m, DROP_ASKED);
}

uint64_t
drop_next(const struct master *m)
{
	return m->service->dropped > 0 ? m->reload.drop_at : CLOCK_NEVER;
}
