/* SPDX-License-Identifier: ISC */
/*
 * One call of the step function: in memory between guard pages, with an answer
 * that is checked.
 */
#ifndef ECHOD_HANDLER_TEST_CALL_H
#define ECHOD_HANDLER_TEST_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handler-test/module.h"

/* How the memory of a step lies. */
struct call_place {
	bool move;  /* state and config have another address in each step */
	bool renew; /* ... and static variables their first values */
	/* A guard page is before `in` and state, not behind them. */
	bool in_front;
	uint8_t poison; /* fills what the handler must not rely on */
};

/* Map the memory, for this module. */
void call_begin(const struct module *m);

/*
 * Make a step.  `told` has everything but the pointers; its `in` is copied,
 * and the answer is in it afterwards.  `state` is the state before, `after`
 * gets the state after the step, and `out` the bytes that are written.
 * Returns an enum echod_next, or -1 with a finding.
 */
int call_step(const struct module *m, const struct call_place *place,
    struct echod_step *told, const void *state, void *after, char *out);

/* Convert a state of version `from`.  Returns 0 or -1 as migrate() does, or -2
 * with a finding. */
int call_migrate(const struct module *m, uint32_t from, const void *old,
    size_t old_size, void *after);

/* Note the place of a crash, for a handler of SIGSEGV and SIGBUS. */
void call_note_fault(const void *address);

#endif
