/* SPDX-License-Identifier: ISC */
/*
 * The list of connections, a piece at a time: a million rows must not hold up
 * other clients of administration.
 */
#ifndef ECHOD_ADMIN_CONNECTIONS_H
#define ECHOD_ADMIN_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "admin/json_write.h"
#include "admin/view.h"

struct connection_list {
	bool active;
	bool json;
	struct json_writer writer;
	int next;	  /* descriptor to look at */
	int worker;	  /* only its; -1: all */
	char peer[64];	  /* only whose name begins so */
	uint64_t entries; /* only with one of these handler entries */
	uint64_t rows;
};

/* A list of all clients, to be begun. */
void connections_init(struct connection_list *l, bool json);

/* List only clients whose name begins so; an address in any of its spellings,
 * brackets or not, is looked for in ours. */
void connections_filter(struct connection_list *l, const char *text);

/* List only clients of this service.  False if there is none of that name. */
bool connections_filter_service(struct connection_list *l, const struct view *v,
    const char *name);

/* The first lines. */
void connections_begin(struct connection_list *l, const struct view *v,
    FILE *out);

/* Write some more rows, perhaps none, to `out`; after the last lines the list
 * is not active any more. */
void connections_more(struct connection_list *l, const struct view *v,
    FILE *out);

/* A connection that may be another one's record a moment later. */
struct connection_name {
	int fd;
	uint64_t cookie;
	struct peer peer;
};

/* Find the open connection to the client called `peer` ("192.0.2.1:5000").
 * False if there is none. */
bool connections_find(const struct arena *a, const char *peer,
    struct connection_name *name);

/* True if it is open still. */
bool connections_has(const struct arena *a, const struct connection_name *name);

#endif
