/* SPDX-License-Identifier: ISC */
/*
 * The handlers of a worker.
 */
#include "worker/handlers.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bsd/string.h>

#include "handler/handler.h"
#include "handler/load.h"
#include "lib/log.h"
#include "shared/handler_table.h"

/* The check of the configuration has seen the same.  A handler that is built in
 * may be another program's. */
static bool
handlers_agree(const struct handler_entry *e, const struct echod_handler *h)
{
	return e->state_version == h->state_version &&
	    e->state_size == h->state_size && e->in_max == h->in_max &&
	    e->out_max == h->out_max;
}

static const struct echod_handler *
handlers_find(const struct handler_entry *e, char *why, size_t size)
{
	const struct echod_handler *h;

	if (e->path[0] != '\0')
		h = load_module(e->code_fd, e->path, why, size);
	else {
		h = handler_builtin(e->name);
		if (h == NULL)
			strlcpy(why, "it is not built in", size);
	}
	if (h == NULL || handlers_agree(e, h))
		return h;
	strlcpy(why, "it is not what was checked", size);
	return NULL;
}

/* Returns NULL with errno set; `e` has data. */
static const void *
handlers_map_data(const struct handler_entry *e)
{
	void *data = mmap(NULL, e->data_size, PROT_READ, MAP_SHARED, e->data_fd,
	    0);

	return data == MAP_FAILED ? NULL : data;
}

/* A service that was removed has what services inherit. */
static const struct service_config *
handlers_service(const struct worker *w, const char *name)
{
	for (unsigned i = 0; i < w->config->services; i++)
		if (strcmp(w->config->service[i].name, name) == 0)
			return &w->config->service[i];
	return &w->config->defaults;
}

static int
handlers_load_entry(struct worker *w, unsigned i, const struct handler_entry *e)
{
	struct worker_handler *to = &w->handler[i];
	char why[512];

	to->successor = e->successor;
	to->state_version = e->state_version;
	to->state_size = e->state_size;
	to->number = e->number;
	to->service = handlers_service(w, e->service);
	if (e->state == ENTRY_REMOVED)
		to->deadline = e->deadline;
	/* Its connections move, by migrate() of the successor. */
	if (e->state == ENTRY_REPLACED)
		return 0;
	to->h = handlers_find(e, why, sizeof(why));
	if (to->h == NULL) {
		log_warnx("service %s: handler %s: %s", e->service, e->name,
		    why);
		return -1;
	}
	if (e->data_size == 0)
		return 0;
	to->config = handlers_map_data(e);
	if (to->config != NULL)
		return 0;
	log_warn("service %s: handler %s: its options", e->service, e->name);
	return -1;
}

int
handlers_load(struct worker *w)
{
	const struct handler_table *t = w->place.handlers;
	int any = 0;

	if (t == NULL)
		return 0;
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++) {
		/* A record of the arena may name any entry. */
		w->handler[i] = (struct worker_handler){
			.service = &w->config->defaults
		};
		if (t->entry[i].state != ENTRY_FREE &&
		    handlers_load_entry(w, i, &t->entry[i]) == -1)
			return -1;
	}
	for (unsigned n = 0; n < SERVICE_NUMBERS; n++)
		if (handler_table_current(t, n) != -1)
			any = handler_table_current(t, n);
	/* No listener has a number without one, unless the arena is spoilt. */
	for (unsigned n = 0; n < SERVICE_NUMBERS; n++) {
		int entry = handler_table_current(t, n);

		w->service_entry[n] = (uint8_t)(entry != -1 ? entry : any);
	}
	return 0;
}
