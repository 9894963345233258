/* SPDX-License-Identifier: ISC */
/*
 * What the master tells a worker at its start, beside configuration and arena.
 */
#ifndef ECHOD_SHARED_WORKER_PLACE_H
#define ECHOD_SHARED_WORKER_PLACE_H

#include <sys/types.h>

struct handler_table;

/* The numbers are the master's own: in the arena another worker could change
 * them. */
struct worker_place {
	unsigned slot;
	pid_t master;
	int master_pidfd; /* 0: none */
	int watch_fd;	  /* the slot's epoll instance */
	const struct handler_table *handlers;
};

#endif
