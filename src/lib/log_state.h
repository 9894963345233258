/* SPDX-License-Identifier: ISC */
/*
 * What the files of the log share: settings, sinks, who we are.
 */
#ifndef ECHOD_LIB_LOG_STATE_H
#define ECHOD_LIB_LOG_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "lib/log.h"
#include "lib/log_file.h"
#include "lib/log_sink.h"

#define LOG_TEXT_BYTES 1024
/* With date, process and level. */
#define LOG_LINE_BYTES (LOG_TEXT_BYTES + 128)
/* A file that could not be opened is tried again after, and a sink that loses
 * lines is told of again after, ms. */
#define LOG_RETRY_MS 60000

struct log_state {
	struct log_settings set;
	bool open;
	bool posted;  /* all lines go to the master */
	pid_t opener; /* the master */
	struct log_file file;
	int syslog_fd; /* or -1 */
	char role[32];
	char warning[LOG_TEXT_BYTES]; /* the last one */
	const char *console_name;
	bool console_is_socket, console_is_journal;
	const _Atomic uint32_t *level; /* log_follow(), or NULL */
	uint64_t look_at;	       /* whether paths lead to us; 0: never */
	uint64_t retry_at;	       /* the file could not be opened */
	bool refreshing;	       /* it is being seen to */
};

extern struct log_state log_state;

/* See that the open file is the one for lines of time `now`. */
void log_refresh(time_t now);

/* True if this process is the one that opens and connects. */
bool log_is_master(void);

/* Write a line of the administration process's: "PID TEXT". */
void log_emit_for_admin(enum log_level level, char *line);

/* Deliver a line of a worker's, as it is. */
void log_emit_for_worker(enum log_sink sink, const char *line, size_t len);

#endif
