/* SPDX-License-Identifier: ISC */
/*
 * A model of a worker's part of one connection: the stores that echod makes, in
 * their order, so that a kill can be put between any two of them.
 */
#ifndef ECHOD_HANDLER_TEST_ENGINE_H
#define ECHOD_HANDLER_TEST_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handler-test/call.h"
#include "handler-test/kernel.h"
#include "handler-test/module.h"

#define ENGINE_KILLS 2

/* What dies, and when. */
struct deaths {
	uint64_t at[ENGINE_KILLS]; /* numbers of points, ascending */
	unsigned count;
	bool each_step; /* each step is cut short once, then made again */
};

/* What a step decides: in the arena, twice. */
struct half {
	uint64_t consumed, produced, written, passed, wake;
	uint8_t next; /* enum echod_next */
	bool opened, ended;
};

/* The arena: what outlives a process. */
struct record {
	uint64_t epoch; /* its lowest bit says which half counts */
	struct half half[2];
	char *state[2];
	char *out;
	char *window;
	uint64_t base; /* position of the first byte of the window */
	uint64_t seen;
	bool eof, drain, lingering, ended;
	/* Of mutants only. */
	uint64_t wake, sent;
	bool opened;
};

enum engine_result {
	ENGINE_IDLE,	/* nothing is due */
	ENGINE_BLOCKED, /* the client must read */
	ENGINE_BUSY,	/* more is due; others have their turn */
	ENGINE_ENDED,	/* closed or reset */
	ENGINE_DIED,
	ENGINE_BROKE /* an answer was none: there is a finding */
};

struct engine {
	const struct module *module;
	const struct call_place *place;
	const struct deaths *deaths;
	struct kernel kernel;
	struct record record;
	uint64_t now_ms, unix_ms;
	bool repeat; /* a DATA that consumes nothing is made twice */

	/* The memory of the process. */
	uint64_t rx, tx;
	uint64_t hint;	   /* as `seen`, but lost at a death */
	char *state, *out; /* what a step is working on */

	uint64_t points; /* so far */
	unsigned died;
	bool cut_short;
	unsigned same_time;  /* TIMER steps one after the other */
	unsigned last_steps; /* with ECHOD_LAST */
	bool timed;	     /* a timer was set once */
};

/* Memory for an engine, once for all connections. */
void engine_begin(struct engine *e, const struct module *m, size_t wire);

/* A new connection, with an empty record. */
void engine_open(struct engine *e);

/* What a worker does when it looks at the connection. */
enum engine_result engine_visit(struct engine *e);

/* What a successor does at first. */
enum engine_result engine_recover(struct engine *e);

/* When the timer is due; 0: none is set. */
uint64_t engine_wake(const struct engine *e);

#ifdef ENGINE_MUTANTS
/* The fault that this engine has, as engine.c names them; 0: none. */
extern unsigned engine_mutant;
#define MUTANT(n) (engine_mutant == (n))
#else
#define MUTANT(n) ((n) == 0)
#endif

enum engine_mutants {
	MUTANT_EPOCH_FIRST = 1, /* epoch before data */
	MUTANT_CURRENT,		/* the current half is written */
	MUTANT_SEND_FIRST,	/* output is sent before the commit */
	MUTANT_STEP_UNSENT,	/* a step while output is unsent */
	MUTANT_OWN_FIN,		/* our FIN is not subtracted */
	MUTANT_OPEN_APART,	/* OPEN is delivered by a store of its own */
	MUTANT_ONE_STATE,	/* one state instead of two */
	MUTANT_RECV_UNSENT,	/* recv while passed input is unsent */
	MUTANT_TWO_STORES,	/* a fast path in two stores */
	MUTANT_CLIENT_FIN,	/* the client's FIN as a byte */
	MUTANT_OPEN_SEEN,	/* OPEN sets `seen` */
	MUTANT_WAKE_APART,	/* wake outside the commit */
	MUTANT_TX_NOTED,	/* tx not from the kernel */
	MUTANT_SEEN_EARLY,	/* `seen` before `epoch` */
	MUTANTS
};

#endif
