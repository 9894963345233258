/* SPDX-License-Identifier: ISC */
/*
 * Log lines: to the terminal or the journal, to a dated file, to syslog; one
 * write each.
 *
 * Every process of the service logs through the same descriptors, which live
 * in the shared descriptor table.  Only the master opens or replaces them;
 * replacing is a dup3(2) onto the same number, so no worker need be told.  A
 * line that a worker cannot deliver for want of that, it gives to the master.
 */
#ifndef ECHOD_LIB_LOG_H
#define ECHOD_LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_VERBOSE,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_WARNING
};

struct log_settings {
	int level;	   /* enum log_level: what is below is dropped */
	int console;	   /* descriptor for lines, or -1 */
	int console_level; /* what the console shows of it */
	const char *file;  /* strftime(3) pattern, absolute; or NULL */
	uid_t uid;	   /* who shall own a created file or directory; */
	gid_t gid;	   /* (uid_t)-1, (gid_t)-1: whoever creates it */
	int inherited;	   /* descriptor on a file to go on with if `file`
				   cannot be opened, or -1 */
	bool syslog;
	const char *syslog_ident;
	int syslog_facility; /* LOG_DAEMON ... as in syslog(3), shifted */
};

/*
 * Start logging as `s` says; before this call, lines go to standard error as
 * "echod: message", or as errors to the journal.  The strings of `s` must
 * outlive the logging.  Missing directories of the file are made (mode 0755).
 * Returns 0, or -1 with errno set and the path that failed in log_path().
 */
int log_open(const struct log_settings *s);

/* Have the master write all lines of this process, which is another program:
 * it is sent them by `fd`, its log_post_writer(). */
void log_open_posted(int fd);

/*
 * Open the file of the current date anew.  On failure the former file stays in
 * use, a warning says why, and -1 is returned.
 */
int log_reopen(void);

/*
 * The master's part: deliver what workers could not, and open the file anew if
 * its date has passed or its path leads elsewhere; the same for syslog's
 * daemon.  While lines are written it looks once a second; log_next() is when it has
 * to be called, clock_ms(), unless log_watch() is readable before.
 */
void log_step(void);
uint64_t log_next(void);
int log_watch(void);

/* Say in the other logs what each has lost and could not say itself. */
void log_tell_losses(void);

/* From now on the level is what `level` points to, a word that may change at
 * any time and must stay where it is. */
void log_follow(const _Atomic uint32_t *level);

/* Stop writing to the console (the process has left its terminal). */
void log_leave_console(void);

/* The descriptor of the open file; -1 if there is none. */
int log_descriptor(void);

/* The descriptor of the socket for syslog; -1 if there is none. */
int log_syslog_descriptor(void);

/* The path last opened or tried; "" if there is none. */
const char *log_path(void);

/* How this process calls itself in its lines: "master", "worker 2". */
void log_set_role(const char *role);

/* "debug" and so on. */
const char *log_level_name(uint32_t level);

/* The last warning this process wrote, or tried to; "" if none. */
const char *log_last_warning(void);

/* True if a line of this level would be written anywhere: ask before
 * gathering expensive arguments. */
bool log_wants(enum log_level level);

/*
 * Write one line.  Control bytes are replaced by '?', lines are cut at 1 KiB,
 * errno is preserved.  A sink that cannot take the line at once (a full pipe)
 * loses it rather than stopping the service; the others are told, and the next
 * line that gets through is preceded by the number of lines lost there.
 */
void log_line(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with ": strerror(errno)" appended. */
void log_line_errno(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_verbose(...) log_line(LOG_LEVEL_VERBOSE, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_warnx(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_warn(...) log_line_errno(LOG_LEVEL_WARNING, __VA_ARGS__)

/*
 * Brake for lines that a client can cause: at most one a second each.
 * log_rate_limit() returns true if the line may be written and then stores in
 * `*missed` how many were held back since the last one.
 */
struct log_rate_limit {
	uint64_t next; /* clock_ms() from which one may pass */
	unsigned held;
};
bool log_rate_limit(struct log_rate_limit *b, unsigned *missed);

#endif
