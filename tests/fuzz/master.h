/* SPDX-License-Identifier: ISC */
/*
 * A master without processes, for fuzzing what it reads in the arena.
 */
#ifndef ECHOD_TESTS_FUZZ_MASTER_H
#define ECHOD_TESTS_FUZZ_MASTER_H

#include "shared/arena.h"

struct master;

/* Lines are formatted, and go nowhere. */
void master_quiet(void);

/* A master of this arena; static storage, the same each time. */
struct master *master_of(const struct arena *a);

/* Have it look at everything that it reads there, and answer everything. */
void master_exercise(const struct arena *a);

/* Close what a master has opened below the arena's descriptors. */
void master_close_opened(void);

/* The answer to a request of the control socket; to be freed. */
char *master_ask(struct master *m, const char *line, bool *json);

#endif
