/* SPDX-License-Identifier: ISC */
/*
 * What the parts of echod-handler-test share: the promises, and the memory in
 * which a child that runs the module tells its parent what it found.
 */
#ifndef ECHOD_HANDLER_TEST_TESTER_H
#define ECHOD_HANDLER_TEST_TESTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "echod/handler.h"

/* The promises of a handler, as echod-handler-test(1) numbers them. */
enum promise {
	PROMISE_CUT = 1, /* the same output however the input is cut */
	PROMISE_REPEAT,	 /* a repeated DATA changes nothing */
	PROMISE_REDO,	 /* a step that is made again does the same */
	PROMISE_KILL,	 /* the same output whatever dies */
	PROMISE_END,	 /* it ends after the end of the input */
	PROMISE_FULL,	 /* it does not wait for input if no more fits */
	PROMISE_BOUNDS,	 /* it stays within its memory */
	PROMISE_MOVED,	 /* the state is all that it keeps */
	PROMISE_TIMER,	 /* a late timer is a timer */
	PROMISE_CALLS,	 /* a step ends, with an answer and without a call */
	PROMISE_MIGRATE, /* migrate() converts every state, or says no */
	PROMISES
};

struct finding {
	bool found;
	uint32_t event; /* of the step, 0: none */
	char what[512];
};

/* Where in the module the child is. */
enum inside {
	INSIDE_NOTHING,
	INSIDE_LOAD,
	INSIDE_CONFIGURE,
	INSIDE_STEP,
	INSIDE_MIGRATE
};

#define TESTER_PROBE 1024

struct shared {
	/* The module, as the child that looked at it saw it. */
	bool usable;
	char error[512]; /* why not */
	char name[64], version[64];
	uint32_t in_max, out_max, state_size, probe_size;
	char probe[TESTER_PROBE];

	/* Where the child is: the parent needs it if the child dies. */
	volatile uint64_t serial; /* calls of the module so far */
	volatile enum inside inside;
	volatile uint32_t event;
	volatile uint32_t call_arch; /* the system call that was denied */
	volatile int call;	     /* -1: none */
	volatile enum promise fault_promise;
	char fault[128]; /* how the child crashed; "": it did not */

	/* Counts of all children. */
	uint64_t runs, steps, kills, cuts;

	struct finding finding[PROMISES];
};

/* The memory that parent and child share. */
extern struct shared *tester;

/* Note that a promise is broken.  The first finding of a promise stays. */
void tester_found(enum promise promise, uint32_t event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* True if there is a finding of this promise. */
bool tester_broken(enum promise promise);

/* Words for a promise, and for an event. */
const char *tester_promise(enum promise promise);
const char *tester_event(uint32_t event);

/* Pseudo-random numbers that a seed repeats (xorshift64*). */
uint64_t tester_random(uint64_t *seed);

#endif
