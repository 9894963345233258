/* SPDX-License-Identifier: ISC */
/*
 * Filters for system calls, from tables.
 */
#include "lib/seccomp_filter.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_SECCOMP
scmp_filter_ctx
seccomp_filter_begin(bool log_only)
{
	uint32_t others = log_only ? SCMP_ACT_LOG : SCMP_ACT_TRAP;
	scmp_filter_ctx filter = seccomp_init(others);

	if (filter == NULL)
		return NULL;
	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, others) != 0) {
		seccomp_release(filter);
		return NULL;
	}
	/* The kernel's audit log is to have what is denied; no matter if it
	 * cannot.  And before Linux 5.16 a filter turned off the processor's
	 * speculation: that protects a process from programs it runs inside
	 * itself, and ours run none. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	return filter;
}

int
seccomp_filter_permit(scmp_filter_ctx filter, const struct permit *permits,
    size_t n, size_t urgent)
{
	for (size_t i = 0; i < n; i++) {
		const struct permit *p = &permits[i];
		/* Calls that this architecture has not are passed over. */
		int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
		    p->call, p->args, p->arg);

		if (error == 0 && i < urgent)
			error = seccomp_syscall_priority(filter, p->call,
			    (uint8_t)(255 - i));
		if (error != 0)
			return error;
	}
	return 0;
}

/* raise(3) of a signal. */
static int
seccomp_filter_permit_raise(scmp_filter_ctx filter, int signo)
{
	const struct permit raising = TWO(tgkill,
	    INT(0, (scmp_datum_t)getpid()), INT(2, (scmp_datum_t)signo));

	return seccomp_filter_permit(filter, &raising, 1, 0);
}

int
seccomp_filter_load(scmp_filter_ctx filter, int error)
{
	if (error == 0)
		error = seccomp_filter_permit_raise(filter, SIGABRT);
	if (error == 0)
		error = seccomp_filter_permit_raise(filter, SIGSYS);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}
#endif

void
seccomp_filter_settle_time_zone(void)
{
	(void)setenv("TZ", ":/etc/localtime", 0);
	tzset();
}
