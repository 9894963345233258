/* SPDX-License-Identifier: ISC */
/*
 * One conversation: a client that sends, reads and ends as a scenario says, a
 * clock, and workers that die.
 */
#ifndef ECHOD_HANDLER_TEST_RUN_H
#define ECHOD_HANDLER_TEST_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handler-test/engine.h"

struct scenario {
	const char *input;
	size_t size;
	/* How it arrives: at first `cut` bytes, then `piece` bytes at a time,
	 * or all (0), or as `seed` says. */
	size_t cut, piece;
	uint64_t seed;
	bool open_first;		 /* not before OPEN */
	size_t recv_max, send_max, room; /* see kernel.h; 0: no limit */
	/* How it ends. */
	bool drain;	  /* by the service, not by the client */
	bool end_at_once; /* the end comes with the last byte */
	bool reads_last;  /* the client reads when it has sent everything */
	bool to_the_end;  /* endless output does not end the run */
	/* The clock. */
	uint64_t clock;	 /* it begins so much later, in ms */
	uint64_t late;	 /* timers are so late, in ms */
	unsigned timers; /* so many are waited for before the end */
	/* The worker. */
	struct deaths deaths;
	bool more;    /* a death takes so long that input arrives */
	bool later;   /* ... and that time passes */
	bool renew;   /* a successor's static variables are new */
	bool repeat;  /* see engine.h */
	bool migrate; /* each state is given to migrate(), too */
	struct call_place place;
};

enum ending {
	RUN_ENDED,   /* FIN */
	RUN_RESET,   /* by ECHOD_ABORT */
	RUN_ENDLESS, /* more output than was wanted */
	RUN_STUCK,   /* nobody does anything */
	RUN_BROKE    /* there is a finding */
};

struct outcome {
	enum ending ending;
	const char *out; /* valid until the next run */
	size_t out_size;
	size_t total; /* bytes of output, if not all are kept */
	uint64_t points;
	uint32_t killed_in; /* the last event before a death */
	bool timed;	    /* a timer was set */
};

/* Memory for conversations of this module. */
void run_begin(const struct module *m);

/* From now on so many bytes of output are enough. */
void run_limit(size_t bytes);

void run_scenario(const struct scenario *s, struct outcome *o);

const char *run_ending(enum ending ending);

#endif
