/* SPDX-License-Identifier: ISC */
/*
 * The master's memory: struct master, made of what each of its modules owns.
 *
 * Master and standby map it shared, workers do not have it.  So a standby that
 * takes the master's place finds all of it current, but for a change that the
 * master's death cut short.
 */
#ifndef ECHOD_MASTER_MASTER_H
#define ECHOD_MASTER_MASTER_H

#include <sys/types.h>

#include "config/addresses.h"
#include "config/config.h"
#include "master/admin_state.h"
#include "master/child.h"
#include "master/listeners/drop.h"
#include "master/listeners/late.h"
#include "master/notify_state.h"
#include "master/oom.h"
#include "master/pace.h"
#include "master/start/admin_sockets.h"
#include "master/start/pidfile.h"
#include "master/stop_state.h"
#include "master/upgrade/reload_state.h"
#include "master/watchdog.h"
#include "shared/arena.h"
#include "shared/handler_table.h"
#include "shared/service.h"
#include "shared/worker_place.h"
#include "standby/standby_state.h"

/* What a worker process runs: worker_main(), which main() hands over. */
typedef int worker_entry(const struct config *config, const struct arena *arena,
    const struct worker_place *place);

_Static_assert(ARENA_SLOTS_MAX <= CONFIG_WORKERS_MAX,
    "struct master and struct worker have a place for each slot");

struct master {
	const struct config *config;
	struct arena arena;
	struct service_state *service;
	int service_fd; /* its memfd */
	worker_entry *entry;
	bool started;	    /* once: all workers have served */
	bool clone_refused; /* clone.c */
	struct child child[CONFIG_WORKERS_MAX]; /* by slot */
	/* As workers get it; others see service->handlers. */
	struct handler_table handlers;
	bool handlers_lost;	 /* a process may have died while it read */
	uint64_t handlers_look;	 /* the next one of handlers_step() */
	struct addresses wanted; /* to listen on; listen_open() fills it */
	struct admin_sockets admin_sockets;
	struct admin admin;
	const struct pidfile *pidfile;
	int executable; /* of the program that runs, executable_hold() */
	/* Each belongs to the module of its name. */
	struct stop stop;
	struct reload reload;
	struct notify notify;
	struct watchdog watchdog;
	struct oom oom;
	struct drop_progress drop;
	struct late late;
	struct pace pace;
	struct standby standby;
};

/* Make it.  Every process that is forked has it, too, until
 * master_let_inherit().  Returns NULL with errno set. */
struct master *master_make(const struct config *c, worker_entry *entry);

/* Let a process that is forked have the mapping, or not. */
void master_let_inherit(struct master *m, bool inherit);

#endif
