/* SPDX-License-Identifier: ISC */
/*
 * What a worker keeps for itself.
 *
 * Every field can be rebuilt from the arena: a successor starts with new ones.
 * A module declares its struct in its own header.  The other fields here are
 * the worker's identity and flags that one module sets and others read.  What
 * only the loop passes on (struct leave, struct balance) is in loop.c.
 */
#ifndef ECHOD_WORKER_WORKER_H
#define ECHOD_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "config/config.h"
#include "echod/handler.h"
#include "lib/log.h"
#include "shared/arena.h"
#include "shared/handler_table.h"
#include "shared/worker_place.h"
#include "worker/balance/active.h"
#include "worker/balance/siblings.h"
#include "worker/events.h"
#include "worker/recovery/slices.h"
#include "worker/timers.h"
#include "worker/wakeups.h"

/* A handler as this worker has loaded it. */
struct worker_handler {
	const struct echod_handler *h; /* NULL: none, or it is replaced ... */
	uint8_t successor;	       /* ... by this one */
	uint8_t number;		       /* of its service, as in counters */
	const struct service_config *service;
	const void *config; /* what configure() filled in */
	/* Of the states that connections have. */
	uint32_t state_version, state_size;
	uint64_t deadline; /* clock_ms(): its service is gone; 0: it is not */
};

struct worker {
	const struct config *config;
	const struct arena *arena;
	struct slot *slot;
	struct worker_place place; /* as the master has given it */
	unsigned number;	   /* of the slot */
	char *scratch;		   /* the slot's */

	unsigned moved;	  /* bytes and clients that moved, for loop.c */
	bool changed;	  /* connections came or went, for balance.c */
	bool draining;	  /* set by drain.c */
	bool memory_full; /* set by memory.c */
	uint64_t now;	  /* of this round, clock_ms(); 0: not asked yet */
	uint64_t unix_ms; /* the same as a date */
	int idle_next;	  /* where the sweep of idle.c goes on */
	/* Odd: a handler makes a step; for step_limit.c. */
	volatile uint32_t stepping;

	struct timers timers;
	struct active_set active;
	struct wakeups wakeups;
	struct siblings siblings;
	struct events events;
	struct slices slices;
	/* For visit_record(); recover.c, which includes much, sets it. */
	bool (*visit)(struct worker *w, int fd);
	struct worker_handler handler[HANDLER_ENTRIES];
	/* The entry that a new connection of a service gets, by its number. */
	uint8_t service_entry[SERVICE_NUMBERS];

	/* Of lines in the log that clients can cause. */
	struct log_rate_limit refusals, shortages, memory_shortages;
	struct log_rate_limit faults, notes;
};

/* The slot of `place` is this worker's.  No timer is set, nothing is watched
 * yet. */
void worker_init(struct worker *w, const struct config *config,
    const struct arena *arena, const struct worker_place *place);

/* The entry of a connection's handler. */
static inline const struct worker_handler *
worker_handler(const struct worker *w, const struct connection *c)
{
	return &w->handler[connection_half(c)->entry % HANDLER_ENTRIES];
}

/* The counters of a connection's service. */
static inline struct slot_counters *
worker_count(const struct worker *w, const struct connection *c)
{
	return &w->slot->count[worker_handler(w, c)->number % SERVICE_NUMBERS];
}

/* The service of a connection. */
static inline const struct service_config *
worker_service(const struct worker *w, const struct connection *c)
{
	return worker_handler(w, c)->service;
}

/* The entry that a client of the listener with index `i` gets. */
static inline unsigned
worker_listener_entry(const struct worker *w, unsigned i)
{
	return w->service_entry[w->arena->header->listener[i].service %
	    SERVICE_NUMBERS];
}

static inline struct connection *
worker_connection(const struct worker *w, int fd)
{
	return &w->arena->connection[fd];
}

/* The time of this round of the loop, clock_ms(); sets w->unix_ms, too. */
uint64_t worker_read_clocks(struct worker *w);

static inline uint64_t
worker_now(struct worker *w)
{
	return w->now != 0 ? w->now : worker_read_clocks(w);
}

/* True if a record that another worker has left can be served.  Its fields
 * become offsets, so they are checked before serve.c uses them. */
bool worker_can_serve(const struct worker *w, int fd);

/* How the log calls a client, with its service if that has a section of the
 * configuration: "192.0.2.1:5000 (web)"; static storage. */
const char *worker_client_name(const struct worker *w,
    const struct connection *c);

/* The same for a client that gets handler entry `entry`. */
const char *worker_peer_name(const struct worker *w, const struct peer *peer,
    unsigned entry);

#endif
