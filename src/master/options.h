/*
 * The options of listening sockets.
 */
#ifndef ECHOD_MASTER_OPTIONS_H
#define ECHOD_MASTER_OPTIONS_H

#include "config/config.h"

/* One option, which is an int.  Returns 0, or -1 with errno set. */
int options_set(int fd, int level, int option, int value);

/* Those that never change, for a socket of AF_INET or AF_INET6 that is not
 * bound yet.  Returns 0, or -1 with errno set. */
int options_initial(int fd, int family);

/* Those that depend on the configuration or on the version of the program:
 * clients that connect from now on have them.  Returns 0, or -1 with errno
 * set. */
int options_adjust(int fd, const struct config *c);

#endif
