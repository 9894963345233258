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

#define SAMPLE_WORKERS 256

/* What is known of the service, and of each worker. */
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

struct sample {
	uint64_t at;   /* clock_ms() */
	char mode[16]; /* serving, draining, reloading, stopping */
	double uptime; /* s */
	double max_connections, refused, deaths, saved, reloads, waiting;
	double pause; /* of the last reload, s */
	unsigned workers;
	struct figures total;
	struct {
		char state[16]; /* "ready" if it serves */
		struct figures figures;
	} worker[SAMPLE_WORKERS];
};

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
