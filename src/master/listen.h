/*
 * The listening sockets.
 */
#ifndef ECHOD_MASTER_LISTEN_H
#define ECHOD_MASTER_LISTEN_H

#include "config/config.h"
#include "state/arena.h"

/* Open a listener for each configured address and enter it in the arena.
 * Returns 0, or -1 with the reason logged ("bind 0.0.0.0:6379: Address already
 * in use"). */
int listen_open(const struct arena *a, const struct config *c);

/* Log what an operator should know of them: addresses skipped, a backlog that
 * the kernel cuts. */
void listen_report(const struct arena *a, const struct config *c);

/* All listeners' names, separated by blanks; static storage. */
const char *listen_names(const struct arena *a);

#endif
