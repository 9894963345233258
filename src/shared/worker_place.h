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
	pid_t master; /* that made the worker */
	/* The pidfds of master and standby, service state; 0: none. */
	int seat[2];
	unsigned generation; /* its master has the seat generation % 2 */
	int watch_fd;	     /* the slot's epoll instance */
	const struct handler_table *handlers;
};

#endif
