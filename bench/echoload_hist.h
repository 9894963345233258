/* SPDX-License-Identifier: ISC */
/*
 * A histogram of times in ns: exact below 128 ns, then 128 buckets for each
 * power of two, so that a value read back is wrong by 0.4 % at most.
 */
#ifndef ECHOLOAD_HIST_H
#define ECHOLOAD_HIST_H

#include <stdint.h>

#define HIST_BITS 7 /* 2^7 buckets a power of two */
#define HIST_TOP 38 /* values below 2^38 ns, 274 s */
#define HIST_BUCKETS ((HIST_TOP - HIST_BITS + 1) << HIST_BITS)

struct hist {
	uint64_t count, max;
	double sum;
	uint64_t bucket[HIST_BUCKETS];
};

/* Count one value; beyond the range it falls into the last bucket. */
void hist_add(struct hist *h, uint64_t ns);

/* Add all of `from` to `h`. */
void hist_merge(struct hist *h, const struct hist *from);

/* The value that a share `part` (0 to 1) of all does not exceed; 0 of none. */
double hist_quantile(const struct hist *h, double part);

double hist_mean(const struct hist *h);

#endif
