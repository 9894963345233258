/* SPDX-License-Identifier: ISC */
/*
 * Amounts of memory, as Redis writes them: 100mb, 1g, 5%.
 */
#ifndef ECHOD_CONFIG_MEMORY_SIZE_H
#define ECHOD_CONFIG_MEMORY_SIZE_H

#include "config/config.h"

/* Parse "auto", a percentage or an amount.  Returns 0, or -1 with a reason in
 * `why`. */
int memory_size_parse(struct memory_size *m, const char *text, char *why,
    size_t size);

/* Write `m` as memory_size_parse() reads it, with the largest unit that
 * divides it. */
void memory_size_format(const struct memory_size *m, char *text, size_t size);

/* Turn a percentage into bytes, and "auto" into `percent` of the memory that
 * this process may use.  `note` gets the calculation in words; an amount in
 * bytes leaves it alone. */
void memory_size_settle(struct memory_size *m, unsigned percent, char *note,
    size_t size);

#endif
