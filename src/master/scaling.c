/* SPDX-License-Identifier: ISC */
/*
 * More workers, fewer workers, and slots that siblings adopt.
 */
#include "master/scaling.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "master/spawn.h"

void
scaling_grow(struct master *m, const char *source)
{
	unsigned k = m->service->workers;

	if (k > 0 && m->child[k - 1].retiring) {
		log_notice("%s: worker %u is still leaving", source, k - 1);
		return;
	}
	if (k == m->arena.slots) {
		log_warnx("%s: there are %u workers, the most there can be",
		    source, k);
		return;
	}
	if (spawn_prepare_slot(m, k) == -1) {
		log_warn("%s: descriptors for worker %u", source, k);
		return;
	}
	m->child[k] = (struct child){ .respawn_at = clock_ms() };
	atomic_store(&m->arena.slot[k].state, SLOT_EMPTY);
	m->service->workers = k + 1;
	service_publish(&m->arena, m->service);
	log_notice("%s: %u workers from now on", source, k + 1);
}

unsigned
scaling_staying(const struct master *m)
{
	unsigned n = 0;

	for (unsigned k = 0; k < m->service->workers; k++)
		n += !m->child[k].retiring;
	return n;
}

void
scaling_shrink(struct master *m, const char *source)
{
	unsigned n = scaling_staying(m);
	struct child *c;

	if (n <= 1) {
		log_warnx("%s: the last worker stays", source);
		return;
	}
	/* The last slot goes, so the slots that stay are the first ones. */
	c = &m->child[n - 1];
	c->retiring = true;
	log_notice("%s: %u workers from now on", source, n - 1);
	if (c->pid == 0) {
		uint32_t empty = SLOT_EMPTY;

		c->respawn_at = CLOCK_NEVER;
		atomic_compare_exchange_strong(&m->arena.slot[n - 1].state,
		    &empty, SLOT_UNATTENDED);
		return;
	}
	atomic_store(&m->arena.slot[n - 1].state, SLOT_LEAVING);
	spawn_leave(m, n - 1);
}

/* The slot that serves and holds the fewest connections; -1 if none serves. */
static int
scaling_choose(const struct master *m)
{
	int best = -1;

	for (unsigned k = 0; k < m->service->workers; k++) {
		const struct slot *s = &m->arena.slot[k];

		if (m->child[k].pid != 0 && m->child[k].stopped == 0 &&
		    atomic_load(&s->state) == SLOT_READY &&
		    (best == -1 ||
			slot_load(s) < slot_load(&m->arena.slot[best])))
			best = (int)k;
	}
	return best;
}

static void
scaling_attend(struct master *m, unsigned k)
{
	struct child *c = &m->child[k];
	uint32_t unattended = SLOT_UNATTENDED;
	int sibling;

	/* Its own next worker is due first. */
	if (c->respawn_at <= clock_ms()) {
		atomic_compare_exchange_strong(&m->arena.slot[k].state,
		    &unattended, SLOT_EMPTY);
		return;
	}
	/* A sibling was asked before, and still lives. */
	if (c->adopt != 0) {
		const struct child *asked = &m->child[c->adopt - 1];

		if (asked->pid != 0 && asked->started <= c->since &&
		    asked->stopped == 0)
			return;
		c->adopt = 0;
	}
	sibling = scaling_choose(m);
	if (sibling == -1) {
		/* Wait for its own next worker, if it gets one. */
		if (!c->retiring)
			atomic_compare_exchange_strong(&m->arena.slot[k].state,
			    &unattended, SLOT_EMPTY);
		return;
	}
	if (atomic_load(&m->arena.slot[sibling].adopt) != 0)
		return; /* it adopts another slot and wakes us after that */
	c->adopt = (unsigned)sibling + 1;
	c->since = clock_ms();
	atomic_store(&m->arena.slot[sibling].adopt, k + 1);
	(void)eventfd_write(m->service->slot[sibling].wake_fd, 1);
}

void
scaling_step(struct master *m)
{
	unsigned n;

	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid == 0 &&
		    atomic_load(&m->arena.slot[k].state) == SLOT_UNATTENDED)
			scaling_attend(m, k);
		else
			m->child[k].adopt = 0; /* not needed any more */
	/* Remove slots that are retired and empty. */
	while ((n = m->service->workers) > 1 && m->stop.phase == STOP_NONE &&
	    m->child[n - 1].retiring && m->child[n - 1].pid == 0 &&
	    atomic_load(&m->arena.slot[n - 1].state) == SLOT_EMPTY) {
		m->child[n - 1].retiring = false;
		m->service->workers = n - 1;
		service_publish(&m->arena, m->service);
	}
}
