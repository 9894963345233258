/* SPDX-License-Identifier: ISC */
/*
 * Filters for system calls, from tables: the kernel does what is listed and
 * nothing else.
 */
#ifndef ECHOD_LIB_SECCOMP_FILTER_H
#define ECHOD_LIB_SECCOMP_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef HAVE_SECCOMP
#include <seccomp.h>

/* Argument `n` in the bits of `mask` is `value`.  Of an int only the lower
 * half counts: the upper half of its register can be anything. */
#define ARG(n, mask, value) \
	{ \
		n, SCMP_CMP_MASKED_EQ, mask, value \
	}
#define INT(n, value) ARG(n, 0xffffffff, value)
#define NULL_POINTER(n) \
	{ \
		n, SCMP_CMP_EQ, 0, 0 \
	}

struct permit {
	int call;
	unsigned args;
	struct scmp_arg_cmp arg[2];
};

#define ANY(name) \
	{ \
		.call = SCMP_SYS(name) \
	}
#define ONE(name, a) \
	{ \
		.call = SCMP_SYS(name), .args = 1, .arg = { a } \
	}
#define TWO(name, a, b) \
	{ \
		.call = SCMP_SYS(name), .args = 2, .arg = { a, b } \
	}

/* A new filter that permits nothing, NULL if memory is short; with `log_only`
 * it denies nothing and has the kernel log it. */
scmp_filter_ctx seccomp_filter_begin(bool log_only);

/* Permit the calls of a table; the first `urgent` of them are looked for
 * first.  Returns 0 or -errno. */
int seccomp_filter_permit(scmp_filter_ctx filter, const struct permit *permits,
    size_t n, size_t urgent);

/* If `error` is 0, permit raise(3) of SIGABRT and SIGSYS, for abort(3) and for
 * the handler of a denied call, and give the process the filter.  Release it in
 * any case.  Returns 0 or -errno. */
int seccomp_filter_load(scmp_filter_ctx filter, int error);
#endif

/* Without TZ, libc looks at /etc/localtime again and again to see whether it is
 * the same; after this, the zone stays what it is now. */
void seccomp_filter_settle_time_zone(void);

#endif
