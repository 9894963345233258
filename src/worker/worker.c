/* SPDX-License-Identifier: ISC */
/*
 * What a worker keeps for itself.
 */
#include "worker/worker.h"

#include "handler/handler.h"

void
worker_init(struct worker *w, const struct config *config,
    const struct arena *arena, const struct worker_place *place)
{
	unsigned number = place->slot;

	*w = (struct worker){
		.config = config,
		.arena = arena,
		.slot = &arena->slot[number],
		.place = *place,
		.number = number,
		.scratch = arena_scratch(arena, number),
		.changed = true, /* siblings may have more than we */
	};
	timers_init(&w->timers);
	active_init(&w->active, arena, number);
	siblings_init(&w->siblings, arena, number);
	events_init(&w->events, arena, place, &w->timers);
}

bool
worker_can_serve(const struct worker *w, int fd)
{
	struct connection c;

	/* The copy is checked: another process can write to the record. */
	memcpy(&c, (const void *)worker_connection(w, fd), sizeof(c));
	return connection_sane_at_rest(&c) && c.handler < HANDLER_KINDS;
}
