/* SPDX-License-Identifier: ISC */
/*
 * The histogram of latencies: log-linear, of fixed size, mergeable.
 */
#include "echoload_hist.h"

#include <math.h>
#include <stddef.h>

static size_t
bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns >= UINT64_C(1) << HIST_TOP)
		return HIST_BUCKETS - 1;
	if (ns < 1 << HIST_BITS)
		return ns;
	/* The leading bit and the seven below it choose the bucket. */
	shift = 63 - HIST_BITS - (unsigned)__builtin_clzll(ns);
	return ((size_t)shift << HIST_BITS) + (size_t)(ns >> shift);
}

/* The middle of a bucket. */
static double
value_of(size_t bucket)
{
	size_t shift = bucket >> HIST_BITS;

	if (shift <= 1)
		return (double)bucket;
	shift--;
	return ldexp((double)(bucket - (shift << HIST_BITS)) + 0.5,
		   (int)shift) -
	    0.5;
}

void
hist_add(struct hist *h, uint64_t ns)
{
	h->bucket[bucket_of(ns)]++;
	h->count++;
	h->sum += (double)ns;
	if (ns > h->max)
		h->max = ns;
}

void
hist_merge(struct hist *h, const struct hist *from)
{
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		h->bucket[i] += from->bucket[i];
	h->count += from->count;
	h->sum += from->sum;
	if (from->max > h->max)
		h->max = from->max;
}

double
hist_quantile(const struct hist *h, double part)
{
	uint64_t seen = 0, rank = (uint64_t)ceil(part * (double)h->count);
	double value;

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank && seen > 0) {
			value = value_of(i);
			return value < (double)h->max ? value : (double)h->max;
		}
	}
	return 0;
}

double
hist_mean(const struct hist *h)
{
	return h->count > 0 ? h->sum / (double)h->count : 0;
}
