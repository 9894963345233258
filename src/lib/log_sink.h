/* SPDX-License-Identifier: ISC */
/*
 * The sinks of log lines, and the facts about them that all processes of the
 * service share: losses, an incomplete line, the times of the dated file.
 *
 * The facts are in shared memory.  Each is a number for a message or a hint to
 * check something: a worker that overwrites them damages the log and nothing
 * else.
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
	_Atomic uint32_t lost; /* lines lost since the last success */
	_Atomic int error;     /* errno of the last loss */
	_Atomic uint32_t cut;  /* the last line is incomplete */
	_Atomic uint64_t told; /* clock_ms() of the last report of losses */
};

struct log_shared {
	struct log_sink_state sink[LOG_SINKS];
	_Atomic int64_t from, until; /* lines of these times go to the file */
	_Atomic uint32_t doubled;    /* file and console are the same file */
	_Atomic uint32_t stream;     /* syslog's socket is a stream */
	_Atomic uint32_t journals;   /* /dev/log is the journal's */
	_Atomic uint64_t asked;	     /* clock_ms() of the last request that
				      * the master check the paths; 0: done */
};

/* The first call must come before the first fork.  Never NULL. */
struct log_shared *log_shared(void);

/*
 * Write a line to `fd` without blocking.  If the last line of the sink is
 * incomplete, `mend` is written before this one.  Returns 0 or errno.
 */
int log_sink_write(struct log_sink_state *s, int fd, bool is_socket, char mend,
    const char *line, size_t len);

/* True if `fd` is a regular file without a name.  The only system call is
 * fstat, for the sandbox; false on architectures where that is not possible. */
bool log_sink_is_removed(int fd);

/* True if both are the same file, pipe or terminal. */
bool log_sink_is_same(int fd, int other);

#endif
