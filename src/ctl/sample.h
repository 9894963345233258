/* SPDX-License-Identifier: ISC */
/*
 * One sample of the service's figures: rates are made of two.
 */
#ifndef ECHOD_CTL_SAMPLE_H
#define ECHOD_CTL_SAMPLE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/counters.h"

#define SAMPLE_ROWS 256

/* What is known of the whole, of each worker and of each service. */
enum figure {
	FIGURE_connections,
#define FIGURE(member, ...) FIGURE_##member,
	SLOT_COUNTERS(FIGURE)
#undef FIGURE
	FIGURES
};

struct figures {
	double value[FIGURES];
};

/* A worker or a service. */
struct sample_row {
	char name[32];	/* of a worker: its number */
	char state[16]; /* "ready" or "serving" if all is well */
	struct figures figures;
};

struct sample_rows {
	unsigned count;
	struct sample_row row[SAMPLE_ROWS];
};

struct sample {
	uint64_t at;   /* clock_ms() */
	char mode[16]; /* serving, draining, reloading, stopping */
	double uptime; /* s */
	double max_connections, refused, deaths, saved, reloads, waiting;
	double pause; /* of the last reload, s */
	struct figures total;
	struct sample_rows workers, services;
};

/* The row of the same name as row `i` of `now`: that row itself if `then` has
 * none, so that nothing has changed. */
const struct sample_row *sample_before(const struct sample_rows *now,
    const struct sample_rows *then, unsigned i);

/* How sample_take() waits, see struct request. */
struct sample_wait {
	void (*waiting)(void);
	const sigset_t *mask;
	bool keys;
};

/* Ask the control socket `path`.  Returns 0, or -1 with errno set, and why in
 * `why`; EINTR if a signal or a key came. */
int sample_take(struct sample *s, const char *path,
    const struct sample_wait *wait, char *why, size_t size);

#endif
