/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets that we were started with: sd_listen_fds(3).
 */
#ifndef ECHOD_MASTER_LISTENERS_INHERIT_H
#define ECHOD_MASTER_LISTENERS_INHERIT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/addresses.h"

/*
 * Look at the descriptors that LISTEN_FDS says were passed to this process,
 * and take these variables out of the environment.  Standard streams must be
 * open.  All descriptors behind those that were passed are closed.
 */
void inherit_begin(void);

/*
 * The socket passed for the listener called `name`, close-on-exec and
 * non-blocking; -1 if there is none.  `flags` gets LISTENER_PASSED and, if it
 * takes IPv4 clients beside those of IPv6, LISTENER_DUAL: one that does stands
 * for both, and is given for "::" only if `a` has 0.0.0.0, too.
 */
int inherit_take(const struct addresses *a, const char *name, uint32_t *flags);

/* Close what was not taken. */
void inherit_end(void);

/* Warn of what was not taken: one line. */
void inherit_report(void);

#endif
