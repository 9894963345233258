/* SPDX-License-Identifier: ISC */
/*
 * The services, as the master's table of handlers has them.
 */
#include "admin/service_list.h"

#include <string.h>

/* Of the entries of a service, the one that says most about it comes first. */
static unsigned
service_list_rank(const struct handler_entry *e)
{
	switch (e->state) {
	case ENTRY_CURRENT:
		return 3;
	case ENTRY_REMOVED:
		return 2;
	case ENTRY_FREE:
		return 0;
	default:
		return 1;
	}
}

/* A section of the configuration may have a limit of its own. */
static unsigned
service_list_limit(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->services; i++)
		if (strcmp(c->service[i].name, name) == 0)
			return c->service[i].maxclients;
	return 0;
}

void
service_list_read(const struct view *v, struct service_list *s)
{
	const struct handler_entry *best[SERVICE_NUMBERS] = { NULL };
	uint64_t connections[SERVICE_NUMBERS];

	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		const struct handler_entry *e = &v->service->handlers.entry[i];

		if (e->number < SERVICE_NUMBERS && service_list_rank(e) > 0 &&
		    (best[e->number] == NULL ||
			service_list_rank(e) >
			    service_list_rank(best[e->number])))
			best[e->number] = e;
	}
	totals_connections(v->arena, connections);
	memset(s, 0, sizeof(*s));
	for (unsigned n = 0; n < SERVICE_NUMBERS; n++) {
		struct service_item *item = &s->item[s->count];

		if (best[n] == NULL)
			continue;
		s->count++;
		item->number = n;
		item->handler = *best[n];
		item->removed = item->handler.state != ENTRY_CURRENT;
		item->limit = service_list_limit(v->config,
		    item->handler.service);
		totals_sum_service(v->arena, v->service, n, &item->totals);
		item->totals.connections = connections[n];
	}
	s->sections = s->count != 1 ||
	    strcmp(s->item[0].handler.service, CONFIG_SERVICE_DEFAULT) != 0;
}

const char *
service_list_name(const struct view *v, unsigned entry)
{
	return entry < HANDLER_ENTRIES &&
		v->service->handlers.entry[entry].state != ENTRY_FREE
	    ? v->service->handlers.entry[entry].service
	    : "";
}

const char *
service_list_listener(const struct view *v, unsigned i)
{
	int entry = handler_table_current(&v->service->handlers,
	    v->service->listener[i].service);

	return entry == -1 ? "" : service_list_name(v, (unsigned)entry);
}
