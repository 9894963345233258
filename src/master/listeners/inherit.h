/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets that the program was started with: sd_listen_fds(3).
 */
#ifndef ECHOD_MASTER_LISTENERS_INHERIT_H
#define ECHOD_MASTER_LISTENERS_INHERIT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/addresses.h"

/*
 * Look at the descriptors that LISTEN_FDS says were passed to this process,
 * remove the variables from the environment, and close all descriptors behind
 * the passed ones.  Standard streams must be open.
 */
void inherit_begin(void);

/*
 * Take the socket that was passed for the listener called `name`.  Returns it,
 * close-on-exec and non-blocking, or -1 if there is none.  `flags` gets
 * LISTENER_PASSED, and LISTENER_DUAL if the socket takes IPv4 clients beside
 * IPv6 ones.  Such a socket stands for both "::" and 0.0.0.0; it is taken for
 * "::" only if `a` has 0.0.0.0, too.
 */
int inherit_take(const struct addresses *a, const char *name, uint32_t *flags);

/* Close the sockets that were not taken. */
void inherit_end(void);

/* Warn of them, in one line. */
void inherit_report(void);

#endif
