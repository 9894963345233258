/* SPDX-License-Identifier: ISC */
/*
 * What the administration process gives up before it serves.
 */
#ifndef ECHOD_ADMIN_ADMIN_SANDBOX_H
#define ECHOD_ADMIN_ADMIN_SANDBOX_H

#include "config/config.h"

/* Bound what it can take of the machine, and be the first to go if memory is
 * short. */
void admin_sandbox_bound(void);

/* Give up capabilities and, as `sandbox` of the configuration says, all system
 * calls that it has no use for. */
void admin_sandbox_enter(const struct config *c);

#endif
