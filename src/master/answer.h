/*
 * What answers to the administrator have in common: numbers gathered from the
 * arena, and how they are written.
 */
#ifndef ECHOD_MASTER_ANSWER_H
#define ECHOD_MASTER_ANSWER_H

#include <stdint.h>
#include <stdio.h>

#include "master/master.h"

/* Milliseconds as two arguments of "%llu.%03llu". */
#define ANSWER_SECONDS(ms) \
	(unsigned long long)(ms) / 1000, (unsigned long long)(ms) % 1000

/* The counters of all slots together. */
struct census {
	uint64_t connections, accepted, rx, tx, echoes;
	uint64_t closed[CLOSE_REASONS];
	uint64_t deaths;
	unsigned ready; /* workers that serve */
};
void answer_census(const struct arena *a, struct census *c);

/* What the service is doing: "serving", "draining", "reloading",
 * "stopping". */
const char *answer_mode(const struct master *m);

/* "ready", "starting" ...: what worker `k` is doing. */
const char *answer_worker_state(const struct master *m, unsigned k);

/* How many connections listener `i` has waiting, and may have. */
void answer_queue(const struct arena *a, unsigned i, unsigned *waiting,
    unsigned *limit);

/* A close reason as a label: "client_eof". */
const char *answer_reason(enum close_reason r);

/* Write a duration as people say it: "3 d 04:05:06". */
void answer_duration(FILE *out, uint64_t ms);

/* The answers to "status", "workers" and "config". */
void answer_status(const struct master *m, FILE *out, bool json);
void answer_workers(const struct master *m, FILE *out, bool json);
void answer_config(const struct config *c, FILE *out, bool json);

#endif
