/* SPDX-License-Identifier: ISC */
/*
 * The part of the Test Anything Protocol that the unit tests need.
 */
#ifndef ECHOD_TESTS_TAP_H
#define ECHOD_TESTS_TAP_H

#include <stdio.h>

static int tap_run, tap_failed;

#define ok(condition, ...) \
	do { \
		int tap_good = (condition) ? 1 : 0; \
		printf("%sok %d - ", tap_good ? "" : "not ", ++tap_run); \
		printf(__VA_ARGS__); \
		putchar('\n'); \
		if (!tap_good) { \
			tap_failed++; \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, \
			    #condition); \
		} \
		fflush(stdout); \
	} while (0)

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed != 0;
}

#endif
