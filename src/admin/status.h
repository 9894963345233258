/* SPDX-License-Identifier: ISC */
/*
 * What answers to the administrator have in common: numbers gathered from the
 * arena, and how they are written.
 */
#ifndef ECHOD_ADMIN_STATUS_H
#define ECHOD_ADMIN_STATUS_H

#include <stdint.h>
#include <stdio.h>

#include "admin/view.h"
#include "shared/totals.h"

/* Milliseconds as two arguments of "%llu.%03llu". */
#define STATUS_SECONDS(ms) \
	(unsigned long long)(ms) / 1000, (unsigned long long)(ms) % 1000

/* What the service is doing: "serving", "draining", "reloading",
 * "stopping". */
const char *status_mode(const struct view *v);

/* "ready", "starting" ...: what worker `k` is doing. */
const char *status_worker_state(const struct view *v, unsigned k);

/* How many connections listener `i` has waiting, and may have. */
void status_queue(const struct view *v, unsigned i, unsigned *waiting,
    unsigned *limit);

/* A close reason as a label: "client_eof". */
const char *status_reason(enum close_reason r);

/* Write a duration as people say it: "3 d 04:05:06". */
void status_duration(FILE *out, uint64_t ms);

/* The answers to "status", "workers" and "config". */
void status_write(const struct view *v, FILE *out, bool json);
void status_workers(const struct view *v, FILE *out, bool json);
void status_config(const struct config *c, FILE *out, bool json);

#endif
