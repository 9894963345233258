/* SPDX-License-Identifier: ISC */
/*
 * Syslog: the socket at /dev/log, a datagram or a stream one.
 *
 * Not syslog(3): it closes and opens its socket by itself, and in a shared
 * table the number would meanwhile be a client's.  Here it is one number from
 * the start to the end; the master puts other sockets onto it.
 */
#ifndef ECHOD_LIB_LOG_SYSLOG_H
#define ECHOD_LIB_LOG_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_SYSLOG_PATH "/dev/log"

/* Make the socket.  Returns its descriptor, or -1 with errno set. */
int log_syslog_open(void);

/* Send a message, which is a line without an end.  `may_connect`: find the
 * daemon again if it is another one now, which workers cannot.  Returns 0 or
 * errno. */
int log_syslog_send(int fd, bool may_connect, const char *line, size_t len);

/* True if that error says that the daemon is there and has no room now. */
bool log_syslog_is_busy(int error);

/* If the daemon that a stream leads to is not the one at the path any more,
 * connect to that.  Whose it is, is in log_shared()->journals. */
void log_syslog_look(int fd);

#endif
