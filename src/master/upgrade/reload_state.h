/* SPDX-License-Identifier: ISC */
/*
 * How far a reload is: struct reload, which reload.c owns and others read.
 */
#ifndef ECHOD_MASTER_UPGRADE_RELOAD_STATE_H
#define ECHOD_MASTER_UPGRADE_RELOAD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "config/addresses.h"
#include "master/upgrade/checker.h"
#include "shared/outcome.h"

/*
 *                      request
 *   RELOAD_NONE ------------------> RELOAD_CHECKING   a child runs the program
 *       ^                               |    |        on disk with -t
 *       |   refused, too long           |    |
 *       +-------------------------------+    | passed
 *       |                                    v
 *       |   exec fails              RELOAD_LEAVING    workers leave between two
 *       +--------------------------------+            operations
 *       |                                | all have left
 *       |                                v
 *       |                              exec           resume.c: the next
 * program |   passed, or given back        |            takes over or gives
 * back +--------------------------------+
 *
 * A stop ends each of them.  A request while a reload is under way, or while
 * dropped listeners are still open, is kept in `again`.
 */
enum reload_phase {
	RELOAD_NONE,
	RELOAD_CHECKING,
	RELOAD_LEAVING
};

struct reload {
	enum reload_phase phase;
	int executable;		  /* the next program's; -1: none */
	struct checker checker;	  /* of the check that runs, or ran last */
	struct resolved resolved; /* names of `bind`, by the check */
	uint64_t deadline;	  /* clock_ms(): the end of the phase */
	uint64_t began;		  /* clock_ms(): workers were told to leave */
	uint64_t number;	  /* of the handover, if it has begun; else 0 */
	bool again;		  /* another reload was asked for */
	/* Processes that wait for the result of this reload, and of the one
	 * after it. */
	struct outcome asked, later;
};

#endif
