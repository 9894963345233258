/* SPDX-License-Identifier: ISC */
/*
 * Syslog: the datagram or stream socket at /dev/log.
 *
 * syslog(3) is not used: it closes and opens its socket by itself, and in a
 * shared descriptor table a client could get the number in between.  This
 * socket keeps its number from start to end; the master replaces it by
 * dup3(2).
 */
#ifndef ECHOD_LIB_LOG_SYSLOG_H
#define ECHOD_LIB_LOG_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_SYSLOG_PATH "/dev/log"

/* Make the socket.  Returns its descriptor, or -1 with errno set. */
int log_syslog_open(void);

/* Send a message, which has no newline and ends with NUL.  With `may_connect`,
 * replace the socket if the daemon wants another type or has gone; a worker
 * cannot do that.  Returns 0 or errno. */
int log_syslog_send(int fd, bool may_connect, const char *line, size_t len);

/* True if the error means that the daemon is there and has no room now. */
bool log_syslog_is_busy(int error);

/* Connect a stream again if another daemon listens at the path now.  Also
 * updates log_shared()->journals: whether /dev/log is the journal's. */
void log_syslog_check(int fd);

#endif
