/*
 * One look at the metrics: what rates are made of.
 */
#ifndef ECHOD_CTL_LOOK_H
#define ECHOD_CTL_LOOK_H

#include <stdint.h>

#define LOOK_WORKERS 256

/* What is read of the metrics, in all and for each worker. */
enum { CONNECTIONS, ACCEPTED, ECHOES, RECEIVED, SENT, READY, COLUMNS };

struct figures {
	double value[COLUMNS];
};

struct look {
	uint64_t at;			/* clock_ms() */
	double uptime, draining, stopping, most, refused, deaths, saved,
	    reloads, pause, waiting;
	unsigned workers;
	struct figures total, worker[LOOK_WORKERS];
};

/* Ask the master at `path`.  Returns 0, or -1 with the reason said. */
int look_at(struct look *l, const char *path);

#endif
