/* SPDX-License-Identifier: ISC */
/*
 * Log lines.  Each line is one write(2) to each of up to three sinks: the
 * console (a terminal or the journal), a dated file, and syslog.
 *
 * All processes of the service write through the same descriptors, which are
 * in the shared descriptor table.  Only the master opens and replaces them.
 * It replaces a descriptor by dup3(2) onto the same number, so the workers
 * need no message.  A worker cannot open a file or connect a socket.  It sends
 * a line that needs one of these to the master.
 */
#ifndef ECHOD_LIB_LOG_H
#define ECHOD_LIB_LOG_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/log_levels.h"

/* LOG_LEVEL_DEBUG to LOG_LEVEL_WARNING, in rising order. */
enum log_level {
#define LOG_LEVEL_ENUM(id, name, priority) LOG_LEVEL_##id,
	LOG_LEVELS(LOG_LEVEL_ENUM)
#undef LOG_LEVEL_ENUM
};

struct log_settings {
	int level;	   /* enum log_level: lower lines are dropped */
	int console;	   /* descriptor, or -1 for no console */
	int console_level; /* the lowest level that the console gets */
	const char *file;  /* absolute strftime(3) pattern; NULL: none */
	uid_t uid;	   /* owner of files and directories that the log */
	gid_t gid;	   /* creates; (uid_t)-1, (gid_t)-1: the creator */
	int inherited;	   /* descriptor of a file that is used if `file`
			    * cannot be opened, or -1 */
	bool syslog;
	const char *syslog_ident;
	int syslog_facility; /* LOG_DAEMON ... of syslog(3) */
};

/*
 * Start logging as `s` says.  Before this call a line goes to standard error
 * as "echod: message", or to the journal as an error.  The strings of `s` must
 * outlive the log.  Missing directories of the file are created with mode
 * 0755.  Returns 0, or -1 with errno set; log_path() is then the path that
 * failed.
 */
int log_open(const struct log_settings *s);

/* Have the master write all lines of this process, which is another program.
 * `fd` is the master's log_remote_descriptor(), or -1 there. */
void log_open_remote(int fd);
int log_remote_descriptor(void);

/*
 * Open the file of the current date again.  Returns 0.  On failure the former
 * file stays in use, a warning gives the reason, and the result is -1.
 */
int log_reopen(void);

/*
 * The master's part.  log_step() delivers the lines of workers, and opens the
 * file again if its date has passed or its path leads to another file; it does
 * the same for the socket of syslog.  It must be called at the time that
 * log_next() returns, in clock_ms(), and whenever the descriptor log_watch()
 * is readable (-1: there is none).  While lines are written, that is once a
 * second.
 */
void log_step(void);
uint64_t log_next(void);
int log_watch(void);

/* Write to the other sinks how many lines each sink has lost. */
void log_tell_losses(void);

/* This process has taken the place of the master, with its descriptors: it
 * opens and replaces them from now on. */
void log_take_over(void);

/* Take the level from `level` from now on.  The word may change at any time
 * and must stay mapped. */
void log_follow(const _Atomic uint32_t *level);

/* Stop writing to the console: the process has left its terminal. */
void log_leave_console(void);

/* The descriptor of the open file, or -1. */
int log_descriptor(void);

/* The descriptor of the syslog socket, or -1. */
int log_syslog_descriptor(void);

/* The path that was opened or tried last, or "". */
const char *log_path(void);

/* Set the name of this process in its lines: "master", "worker 2".  A longer
 * name than 31 bytes is cut. */
void log_set_role(const char *role);

/* The name of an enum log_level; "?" for any other number. */
const char *log_level_name(uint32_t level);

/* The enum log_level of this name, or -1. */
int log_level_find(const char *name);

/* The last warning that this process wrote or tried to write, or "". */
const char *log_last_warning(void);

/* True if a line of this level would be written.  Ask before collecting
 * expensive arguments. */
bool log_wants(enum log_level level);

/*
 * Write one line, with ": " and strerror(error) appended unless `error` is 0.
 * Control characters become '?', a line is cut at 1 KiB, and
 * errno is preserved.  The call does not block: a sink that cannot take the
 * line at once (a full pipe) loses it.  The other sinks report the loss, and
 * the next line that the sink takes follows a line with the number of lines
 * lost.
 */
void log_line(enum log_level level, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_line(LOG_LEVEL_DEBUG, 0, __VA_ARGS__)
#define log_verbose(...) log_line(LOG_LEVEL_VERBOSE, 0, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, 0, __VA_ARGS__)
#define log_warnx(...) log_line(LOG_LEVEL_WARNING, 0, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARNING, errno, __VA_ARGS__)

/*
 * The rate limit of a line that a client can cause: one line a second.
 * Returns true if the line may be written; `*missed` is then the number of
 * lines held back since the last one.
 */
struct log_rate_limit {
	uint64_t next; /* clock_ms() from which a line may pass */
	unsigned held; /* lines held back */
};
bool log_rate_limit(struct log_rate_limit *b, unsigned *missed);

#endif
