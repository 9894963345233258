/* SPDX-License-Identifier: ISC */
/*
 * The CPU quota of control groups.
 *
 * A container or a unit with half a processor still has the affinity of the
 * whole machine.  More workers than the quota allows would only take turns.
 */
#include "config/quota.h"

#include <limits.h>

#include "lib/cgroup.h"

/* Take the limit of one group, in thousandths of a processor, if it is the
 * lowest so far. */
static bool
quota_visit(void *to, const char *directory, bool v2)
{
	unsigned *least = to, limit;
	uint64_t quota, period;

	if (v2 ? !cgroup_numbers(directory, "cpu.max", &quota, &period)
	       : !cgroup_number(directory, "cpu.cfs_quota_us", &quota) ||
		    !cgroup_number(directory, "cpu.cfs_period_us", &period))
		return true;
	/* -1, which means no quota, is a large number here. */
	if (quota == 0 || period == 0 || quota / period >= 1000000)
		return true;
	limit = (unsigned)((quota * 1000 + period - 1) / period);
	if (*least == 0 || limit < *least)
		*least = limit;
	return true;
}

unsigned
quota_cpu(const char *root)
{
	unsigned least = 0;

	cgroup_walk(root, "cpu", quota_visit, &least);
	return least;
}
