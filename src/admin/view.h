/* SPDX-License-Identifier: ISC */
/*
 * All that answers to an administrator are made of.
 */
#ifndef ECHOD_ADMIN_VIEW_H
#define ECHOD_ADMIN_VIEW_H

#include "config/config.h"
#include "shared/arena.h"
#include "shared/service.h"

/* How many connections listener `i` has waiting, and may have. */
typedef void view_queue(unsigned i, unsigned *waiting, unsigned *limit);

struct view {
	const struct arena *arena;
	const struct service_state *service;
	const struct config *config; /* as it runs */
	view_queue *queue;	     /* NULL: not known */
};

#endif
