/* SPDX-License-Identifier: ISC */
/*
 * Replacing the workers of a former master, one slot at a time: only a parent
 * learns how a process has ended, and can wait for it.
 *
 * The worker leaves between two operations, its pidfd tells its end, and reap()
 * and spawn_due() do the rest.
 */
#include "standby/replace.h"

#include "lib/clock.h"
#include "master/spawn.h"

/* A worker that has not left by then is killed, ms. */
#define REPLACE_PATIENCE 500
/* The next one is asked then, even if the one before does not serve, ms. */
#define REPLACE_READY 2000

/* The first slot with a worker of a former master; -1: there is none. */
static int
replace_find(const struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0 && m->child[k].foreign)
			return (int)k;
	return -1;
}

static bool
replace_must_wait(const struct master *m, uint64_t now)
{
	unsigned k = m->standby.replaced;

	return k-- != 0 && k < m->service->workers && !m->child[k].retiring &&
	    now < m->standby.deadline &&
	    atomic_load(&m->arena.slot[k].state) != SLOT_READY;
}

void
replace_step(struct master *m)
{
	struct standby *s = &m->standby;
	int k = replace_find(m);
	uint64_t now = clock_ms();

	if (s->leaving != 0 && (k == -1 || s->leaving != (unsigned)k + 1)) {
		s->replaced = s->leaving;
		s->leaving = 0;
		s->deadline = now + REPLACE_READY;
	}
	/* In a stop they drain and go. */
	if (k == -1 || m->stop.phase != STOP_NONE)
		return;
	if (s->leaving == 0) {
		if (replace_must_wait(m, now))
			return;
		s->leaving = (unsigned)k + 1;
		s->deadline = now + REPLACE_PATIENCE;
		spawn_leave(m, (unsigned)k);
	} else if (now >= s->deadline) {
		child_signal(&m->child[k], SIGKILL);
		s->deadline = now + REPLACE_PATIENCE;
	}
}

uint64_t
replace_next(const struct master *m)
{
	if (m->stop.phase != STOP_NONE || replace_find(m) == -1)
		return CLOCK_NEVER;
	return m->standby.leaving == 0 && m->standby.replaced == 0
	    ? 0
	    : m->standby.deadline;
}
