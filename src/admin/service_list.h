/* SPDX-License-Identifier: ISC */
/*
 * The services, for answers to an administrator: what each is called, which
 * handler it has and what it counts.
 */
#ifndef ECHOD_ADMIN_SERVICE_LIST_H
#define ECHOD_ADMIN_SERVICE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/view.h"
#include "shared/totals.h"

struct service_item {
	unsigned number;	      /* below SERVICE_NUMBERS */
	bool removed;		      /* by a reload; its connections drain */
	unsigned limit;		      /* its maxclients; 0: none of its own */
	struct handler_entry handler; /* that new connections get */
	struct totals totals;
};

struct service_list {
	unsigned count;
	bool sections; /* the configuration names them */
	struct service_item item[SERVICE_NUMBERS];
};

/* All services, in the order of their numbers. */
void service_list_read(const struct view *v, struct service_list *s);

/* The service that has handler entry `entry`; "" if there is no such entry. */
const char *service_list_name(const struct view *v, unsigned entry);

/* The service of listener `i`. */
const char *service_list_listener(const struct view *v, unsigned i);

#endif
