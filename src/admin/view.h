/* SPDX-License-Identifier: ISC */
/*
 * All that answers to an administrator are made of.
 */
#ifndef ECHOD_ADMIN_VIEW_H
#define ECHOD_ADMIN_VIEW_H

#include "config/config.h"
#include "shared/arena.h"
#include "shared/service.h"

struct view {
	const struct arena *arena;
	const struct service_state *service;
	const struct config *config; /* as it runs */
	/* How many connections listener `i` has waiting, and may have; NULL:
	 * not known. */
	void (*queue)(unsigned i, unsigned *waiting, unsigned *limit);
};

#endif
