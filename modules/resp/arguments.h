/* SPDX-License-Identifier: ISC */
/*
 * The arguments of a command, as much of them as the state keeps.
 */
#ifndef ECHOD_MODULES_RESP_ARGUMENTS_H
#define ECHOD_MODULES_RESP_ARGUMENTS_H

#include "resp.h"

/* A command of `n` arguments begins. */
void arguments_begin(struct resp_state *state, int32_t n);
/* Its next argument; only the start of `data` is kept. */
void arguments_keep(struct resp_state *state, const char *data, size_t n);
/* Argument `n` as a string; "" if it was not kept. */
const char *arguments_get(const struct resp_state *state, unsigned n);
/* Its length; at most so much as is kept. */
size_t arguments_length(const struct resp_state *state, unsigned n);
/* There is more of it than the state keeps. */
bool arguments_cut(const struct resp_state *state, unsigned n);
/* It is this word, in letters of either case. */
bool arguments_is(const struct resp_state *state, unsigned n,
    const char *word);
/* It is a number. */
bool arguments_number(const struct resp_state *state, unsigned n,
    int64_t *number);

/* A number as Redis reads it: no sign but "-", no needless zero. */
bool number_read(const char *text, size_t n, int64_t *number);

#endif
