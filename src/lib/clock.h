/* SPDX-License-Identifier: ISC */
/*
 * The monotonic clock, in milliseconds.
 */
#ifndef ECHOD_LIB_CLOCK_H
#define ECHOD_LIB_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A deadline that never comes. */
#define CLOCK_NEVER UINT64_MAX

/*
 * Milliseconds of CLOCK_MONOTONIC: the same in every process of one boot,
 * never set back, not affected by settimeofday(2).  Never fails on Linux.
 */
static inline uint64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The earlier of two points in time. */
static inline uint64_t
clock_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The earliest of `n` points in time; CLOCK_NEVER if there are none. */
static inline uint64_t
clock_earliest(const uint64_t *at, size_t n)
{
	uint64_t first = CLOCK_NEVER;

	for (size_t i = 0; i < n; i++)
		first = clock_earlier(first, at[i]);
	return first;
}

/* Milliseconds from `now` until `then`; 0 if that has passed, or is now. */
static inline uint64_t
clock_until(uint64_t then, uint64_t now)
{
	return then > now ? then - now : 0;
}

/*
 * What is left until `deadline`, seen from `now`, as ppoll(2) wants it:
 * fills and returns `ts`, or returns NULL (sleep without end) for
 * CLOCK_NEVER.  A deadline that has passed gives zero.
 */
static inline const struct timespec *
clock_left(uint64_t deadline, uint64_t now, struct timespec *ts)
{
	uint64_t ms = clock_until(deadline, now);

	if (deadline == CLOCK_NEVER)
		return NULL;
	ts->tv_sec = (time_t)(ms / 1000);
	ts->tv_nsec = (long)(ms % 1000) * 1000000;
	return ts;
}

#endif
