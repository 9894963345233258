/* SPDX-License-Identifier: ISC */
/*
 * What the fuzz targets have in common: their names, and saying that a
 * property does not hold.
 */
#ifndef ECHOD_TESTS_FUZZ_H
#define ECHOD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A target: any input at all, and 0 comes back; or the process ends. */
typedef int fuzz_target(const uint8_t *data, size_t size);

fuzz_target fuzz_config;    /* the configuration's reader */
fuzz_target fuzz_directive; /* one directive's text */
fuzz_target fuzz_proxy;	    /* PROXY headers */
fuzz_target fuzz_control;   /* requests to the control socket */
fuzz_target fuzz_handler;   /* handlers, their input split anyhow */
fuzz_target fuzz_recover;   /* a successor in an arena of any contents */
fuzz_target fuzz_record;    /* the next program: record and arena */
fuzz_target fuzz_resp;	    /* the RESP module, its input split anyhow */

/* The property holds, or the process ends and says which did not. */
#define must(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

#endif
