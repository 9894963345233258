/* SPDX-License-Identifier: ISC */
/*
 * The monotonic clock, in milliseconds.
 */
#ifndef ECHOD_LIB_CLOCK_H
#define ECHOD_LIB_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A deadline that is never reached. */
#define CLOCK_NEVER UINT64_MAX

/*
 * CLOCK_MONOTONIC in milliseconds.  All processes see the same clock, it never
 * goes back, and settimeofday(2) does not change it.  The call cannot fail on
 * Linux.
 */
static inline uint64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The same in microseconds. */
static inline uint64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* The earlier of two times. */
static inline uint64_t
clock_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The earliest of `n` times; CLOCK_NEVER if `n` is 0. */
static inline uint64_t
clock_earliest(const uint64_t *at, size_t n)
{
	uint64_t first = CLOCK_NEVER;

	for (size_t i = 0; i < n; i++)
		first = clock_earlier(first, at[i]);
	return first;
}

/* Milliseconds from `now` until `then`; 0 if `then` is not in the future. */
static inline uint64_t
clock_until(uint64_t then, uint64_t now)
{
	return then > now ? then - now : 0;
}

/*
 * The timeout of ppoll(2) from `now` until `deadline`.  Fills and returns `ts`,
 * which is zero for a deadline in the past.  Returns NULL, which sleeps without
 * limit, for CLOCK_NEVER.
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
