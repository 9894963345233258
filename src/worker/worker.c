/* SPDX-License-Identifier: ISC */
/*
 * What a worker keeps for itself.
 */
#include "worker/worker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "handler/handler.h"

uint64_t
worker_read_clocks(struct worker *w)
{
	struct timespec ts = { 0, 0 };

	/* The date costs less than an exact one, and is a few ms behind. */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	w->unix_ms = (uint64_t)ts.tv_sec * 1000 +
	    (uint64_t)ts.tv_nsec / 1000000;
	w->now = clock_ms();
	return w->now;
}

/* One entry for each service, as long as there are no modules. */
static void
worker_load_handlers(struct worker *w)
{
	for (unsigned i = 0; i < w->config->services; i++) {
		const struct service_config *service = &w->config->service[i];

		w->handler[i].h = handler_builtin(service->handler);
		w->handler[i].service = service;
		w->handler[i].number = (uint8_t)i;
		w->service_entry[i] = (uint8_t)i;
	}
}

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
	worker_load_handlers(w);
	active_init(&w->active, arena, number);
	wakeups_init(&w->wakeups, arena);
	siblings_init(&w->siblings, arena, number);
	events_init(&w->events, arena, place, &w->timers);
}

bool
worker_can_serve(const struct worker *w, int fd)
{
	const struct worker_handler *h;
	struct connection c;

	/* The copy is checked: another process can write to the record. */
	memcpy(&c, (const void *)worker_connection(w, fd), sizeof(c));
	h = &w->handler[connection_half(&c)->entry % HANDLER_ENTRIES];
	return connection_sane_at_rest(&c) &&
	    (h->h != NULL ||
		w->handler[h->successor % HANDLER_ENTRIES].h != NULL);
}

const char *
worker_peer_name(const struct worker *w, const struct peer *peer,
    unsigned entry)
{
	static char name[CONFIG_SERVICE_NAME + 96];
	const struct handler_table *t = w->place.handlers;
	const char *service = t != NULL
	    ? t->entry[entry % HANDLER_ENTRIES].service
	    : CONFIG_SERVICE_DEFAULT;

	if (strcmp(service, CONFIG_SERVICE_DEFAULT) == 0)
		return peer_name(peer);
	snprintf(name, sizeof(name), "%s (%s)", peer_name(peer), service);
	return name;
}

const char *
worker_client_name(const struct worker *w, const struct connection *c)
{
	return worker_peer_name(w, &c->peer, connection_half(c)->entry);
}
