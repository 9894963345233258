/*
 * The hot connections: those watched by poll(2).
 */
#ifndef ECHOD_WORKER_HOT_H
#define ECHOD_WORKER_HOT_H

#include "worker/worker.h"

/* Allocate the poll set with its fixed entries.  Returns 0, or -1 with errno
 * set. */
int hot_init(struct worker *w);

/* Watch `fd` for what its record waits for.  Returns 0, or -1 with errno set
 * if there is no memory. */
int hot_add(struct worker *w, int fd);

/* Stop watching; no effect if it is not hot. */
void hot_remove(struct worker *w, int fd);

/* What its record waits for has changed. */
void hot_update(struct worker *w, int fd);

/* poll(2) events that a record waits for: to send what is unsent, else to
 * read. */
short hot_events(const struct connection *c);

/* Watch the listeners, or leave them be. */
void hot_listen(struct worker *w, bool on);

#endif
