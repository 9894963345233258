/* SPDX-License-Identifier: ISC */
/*
 * A worker: the loop that does one slot's job, and what it keeps for itself.
 */
#ifndef ECHOD_WORKER_WORKER_H
#define ECHOD_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "config/config.h"
#include "lib/log.h"
#include "shared/arena.h"
#include "shared/worker_exit.h"
#include "shared/worker_place.h"

/* Events taken at a time: the others keep their turn. */
#define WORKER_EVENTS 128

struct active {
	int fd;
	unsigned seen; /* round of its last event */
};

/* All of it can be rebuilt from the arena. */
struct worker {
	const struct config *config;
	const struct arena *arena;
	struct slot *slot;
	unsigned number;
	pid_t master;	  /* 0: it is gone */
	int master_pidfd; /* 0: none */
	int watch_fd;	  /* the slot's, as the master has it */
	char *scratch;

	struct epoll_event event[WORKER_EVENTS];
	struct active *active; /* connections that are hot */
	unsigned active_count, active_allocated;
	unsigned round; /* of the loop */

	bool listening;	    /* listeners are watched ... */
	unsigned listeners; /* ... as many as there were */
	uint32_t shut;	    /* those that never are again, by bit */
	bool draining;
	uint64_t deadline; /* of the drain */
	/* Timers, clock_ms() or CLOCK_NEVER. */
	uint64_t accept_at;    /* resume accepting after a shortage */
	uint64_t enroll_at;    /* watch those that could not be */
	uint64_t sweep_at;     /* look for idle connections */
	uint64_t header_at;    /* and for overdue headers */
	uint64_t parent_at;    /* is the master there? */
	uint64_t title_at;     /* bring the process title up to date */
	uint64_t offers_at;    /* take back what nobody took */
	uint64_t balance_at;   /* even out the slots */
	uint64_t heal_at;      /* void reservations never redeemed */
	uint64_t trim_at;      /* give back unused windows */
	uint64_t memory_at;    /* is memory full still? */
	uint64_t rotate_at;    /* compare how slots are served */
	unsigned rounds;       /* of the loop, for balance() */
	unsigned events;       /* since rotate_round */
	unsigned rotate_round; /* of the last comparison */
	unsigned turn;	       /* who of the hot is given next */
	uint64_t served[CONFIG_WORKERS_MAX]; /* echoes of the slots then */
	unsigned looks;			     /* the same, for told_to_leave() */
	bool changed; /* connections came or went since */
	/* Bytes and clients that moved; rounds in which none did though
	 * something was ready, and when the last one was. */
	unsigned moved, idle_rounds;
	uint64_t idle_at;
	uint64_t accepted; /* by all slots, at the last of them */
	/* By slot: its heartbeat + 1 when it was found not to take what it was
	 * given; it is given nothing until that changes. */
	uint64_t skipped[CONFIG_WORKERS_MAX];
	uint32_t titled; /* connections the title speaks of */
	bool full;	 /* of memory, see memory.h */
	struct log_rate_limit refusals, shortages, memory;
};

/*
 * Take the slot and serve until told to stop.  Runs in a process of its own
 * that shares the descriptor table and the arena with its parent; signals are
 * blocked on entry.  Returns the exit status.
 */
int worker_main(const struct config *config, const struct arena *arena,
    const struct worker_place *place);

static inline struct connection *
worker_connection(const struct worker *w, int fd)
{
	return &w->arena->connection[fd];
}

/* True if a record that another worker has left can be served.  What it says
 * becomes offsets: to be asked before serve.c sees it. */
static inline bool
worker_can_serve(const struct worker *w, int fd)
{
	struct connection c;

	memcpy(&c, (const void *)worker_connection(w, fd), sizeof(c));
	return connection_sane_at_rest(&c) && c.handler < HANDLER_KINDS;
}

#endif
