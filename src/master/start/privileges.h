/* SPDX-License-Identifier: ISC */
/*
 * Giving up root after all that needs it.
 */
#ifndef ECHOD_MASTER_START_PRIVILEGES_H
#define ECHOD_MASTER_START_PRIVILEGES_H

#include <sys/types.h>

#include "config/config.h"

struct identity {
	uid_t uid; /* (uid_t)-1: keep the present user */
	gid_t gid;
};

/* Look up the configured user and group, which config_validate() has found. */
struct identity privileges_identity(const struct config *c);

/* Become `id`, with no way back.  Returns 0, or -1 with errno set. */
int privileges_drop(const struct config *c, const struct identity *id);

#endif
