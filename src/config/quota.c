/* SPDX-License-Identifier: ISC */
/*
 * The CPU time that control groups leave us.
 *
 * A container or a unit with half a processor still has the affinity of the
 * whole machine; more workers than it can run only take turns.
 */
#include "config/quota.h"

#include <limits.h>

#include "lib/cgroup.h"

/* The limit of one group, in thousandths, if it is the least so far. */
static bool
quota_visit(void *to, const char *directory, bool v2)
{
	unsigned *least = to, limit;
	uint64_t quota, period;

	if (v2 ? !cgroup_numbers(directory, "cpu.max", &quota, &period)
	       : !cgroup_number(directory, "cpu.cfs_quota_us", &quota) ||
		    !cgroup_number(directory, "cpu.cfs_period_us", &period))
		return true;
	/* A negative one is a large one here. */
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
