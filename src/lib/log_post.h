/* SPDX-License-Identifier: ISC */
/*
 * From workers to the master: lines that a worker cannot deliver.
 *
 * A worker cannot open a file or connect a socket.  When the date has changed,
 * or syslog's daemon, it gives its line to the master, which can.
 */
#ifndef ECHOD_LIB_LOG_POST_H
#define ECHOD_LIB_LOG_POST_H

#include <stddef.h>

#include "lib/log.h"
#include "lib/log_sink.h"

/* Nothing but a word that lines are being written: look. */
#define LOG_POST_LOOK LOG_SINKS

/* From the administration process, for every log: this and enum log_level. */
#define LOG_POST_ADMIN (LOG_SINKS + 1)
#define LOG_POST_LAST (LOG_POST_ADMIN + LOG_LEVEL_WARNING)

#define LOG_POST_BYTES 2048

/* Make it, before there are workers.  Returns 0, or -1 with errno set. */
int log_post_open(void);

/* Send `line` for the sink.  Returns 0, or errno. */
int log_post_send(unsigned sink, const char *line, size_t len);

/* Take one: fills `line`, of LOG_POST_BYTES, with a text that ends with NUL.
 * Returns the sink, or -1 if there is none.  What it says is a worker's. */
int log_post_take(char *line, size_t *len);

/* What lines are sent by, to be given to another program; or -1.  There, it is
 * set by log_post_use(). */
int log_post_writer(void);
void log_post_use(int fd);

/* Readable if there is something to take; -1 if there is no post. */
int log_post_descriptor(void);

#endif
