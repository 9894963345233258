/* SPDX-License-Identifier: ISC */
/*
 * What log lines are written to, and what all processes of the service know of
 * it: losses, a line that was cut, times of the dated file.
 *
 * It is in memory that they share.  Nothing in there is more than a number to
 * be told or a hint to look again: a worker that spoils it spoils the log.
 */
#ifndef ECHOD_LIB_LOG_SINK_H
#define ECHOD_LIB_LOG_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_sink {
	LOG_SINK_CONSOLE,
	LOG_SINK_FILE,
	LOG_SINK_SYSLOG,
	LOG_SINKS
};

struct log_sink_state {
	_Atomic uint32_t lost; /* lines since the last that it took */
	_Atomic int error;     /* errno of the last loss */
	_Atomic uint32_t cut;  /* its last line has no end */
	_Atomic uint64_t told; /* clock_ms() it was told elsewhere */
};

struct log_shared {
	struct log_sink_state sink[LOG_SINKS];
	_Atomic int64_t from, until; /* lines of these times go to the file */
	_Atomic uint32_t doubled;    /* the file is what the console is */
	_Atomic uint32_t stream;     /* syslog's socket is a stream */
	_Atomic uint32_t journals;   /* /dev/log is the journal's */
	_Atomic uint64_t poked;	     /* clock_ms() the master was asked to
					   look; 0: it has */
};

/* Made once, before there are other processes; never NULL. */
struct log_shared *log_shared(void);

/*
 * Write a line to `fd` at once or not at all, as far as the kernel lets us: if
 * the last one was cut, `mend` goes before it.  Returns 0, or errno.
 */
int log_sink_write(struct log_sink_state *s, int fd, bool is_socket, char mend,
    const char *line, size_t len);

/* True if `fd` is a file that has no name any more.  It makes no call but that
 * of SYS_fstat, for the sandbox, and where it cannot, says no. */
bool log_sink_is_removed(int fd);

/* True if both are the same file, pipe or terminal. */
bool log_sink_is_same(int fd, int other);

#endif
