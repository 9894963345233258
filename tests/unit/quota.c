/* SPDX-License-Identifier: ISC */
/*
 * The CPU quota of control groups, according to the files of several systems.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/quota.h"
#include "tap.h"

static char root[] = "/tmp/echod-quota-XXXXXX";

/* Make the file, and its directories, below the root. */
static void
put(const char *path, const char *text)
{
	char whole[512];
	FILE *out;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *p = whole + strlen(root) + 1; (p = strchr(p, '/')) != NULL;
	     p++) {
		*p = '\0';
		mkdir(whole, 0700);
		*p = '/';
	}
	out = fopen(whole, "we");
	if (out == NULL || fputs(text, out) == EOF || fclose(out) == EOF)
		ok(0, "%s", whole);
}

/* Another system. */
static void
begin(const char *mounts, const char *groups)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'/*", root);
	if (system(command) != 0)
		ok(0, "%s", command);
	put("/proc/self/mountinfo", mounts);
	put("/proc/self/cgroup", groups);
}

#define UNIFIED \
	"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 " \
	"cgroup2 rw,nsdelegate\n"

static void
test_unified(void)
{
	begin("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" UNIFIED,
	    "0::/system.slice/echod.service\n");
	ok(quota_cpu(root) == 0, "version 2: no file, no quota");
	put("/sys/fs/cgroup/system.slice/echod.service/cpu.max",
	    "max 100000\n");
	ok(quota_cpu(root) == 0, "version 2: max");
	put("/sys/fs/cgroup/system.slice/echod.service/cpu.max",
	    "50000 100000\n");
	ok(quota_cpu(root) == 500, "version 2: half a processor");
	put("/sys/fs/cgroup/system.slice/cpu.max", "20000 100000\n");
	ok(quota_cpu(root) == 200, "version 2: less in the group above");
	put("/sys/fs/cgroup/cpu.max", "10000 100000\n");
	ok(quota_cpu(root) == 100, "version 2: and at the mount");
	begin(UNIFIED, "0::/\n");
	put("/sys/fs/cgroup/cpu.max", "150001 100000\n");
	ok(quota_cpu(root) == 1501, "version 2: a namespace, rounded up");
	begin(UNIFIED, "0::/../other\n");
	put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
	ok(quota_cpu(root) == 2000, "version 2: outside of the namespace");
}

static void
test_legacy(void)
{
	static const char mounts[] =
	    "31 23 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
	    "32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - "
	    "cgroup cgroup rw,cpu,cpuacct\n"
	    "33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
	static const char groups[] =
	    "9:cpuset:/set\n"
	    "4:cpu,cpuacct:/a/b\n1:name=systemd:/s\n0::/s\n";

	begin(mounts, groups);
	ok(quota_cpu(root) == 0, "version 1: no file");
	put("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
	ok(quota_cpu(root) == 0, "version 1: -1");
	put("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "250000\n");
	ok(quota_cpu(root) == 2500, "version 1: two and a half");
	put("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "10000\n");
	put("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "20000\n");
	ok(quota_cpu(root) == 500, "version 1: less in the group above");
	put("/sys/fs/cgroup/cpuset/set/cpu.cfs_quota_us", "1\n");
	ok(quota_cpu(root) == 500, "version 1: no other hierarchy counts");
}

static void
test_container(void)
{
	begin("40 39 0:28 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup "
	      "rw,cpu\n",
	    "3:cpu:/docker/abc\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "30000\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	ok(quota_cpu(root) == 300, "a container, its own group mounted");
	begin("40 39 0:28 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup "
	      "rw,cpu\n",
	    "3:cpu:/docker/abcd\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "40000\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	put("/sys/fs/cgroup/cpu/d/cpu.cfs_quota_us", "10000\n");
	put("/sys/fs/cgroup/cpu/d/cpu.cfs_period_us", "100000\n");
	ok(quota_cpu(root) == 400, "a name is not a part of a longer one");
}

static void
test_nonsense(void)
{
	begin("", "");
	ok(quota_cpu(root) == 0, "nothing is mounted");
	ok(quota_cpu("/nowhere") == 0, "no /proc");
	begin("\n - \n1 2 3 4\n" UNIFIED, "\n::\n0:\n0::\n");
	put("/sys/fs/cgroup/cpu.max", "x y\n");
	ok(quota_cpu(root) == 0, "no numbers");
	put("/sys/fs/cgroup/cpu.max", "5 0\n");
	ok(quota_cpu(root) == 0, "no period");
	put("/sys/fs/cgroup/cpu.max", "9223372036854775807 1\n");
	ok(quota_cpu(root) == 0, "more than there can be");
}

int
main(void)
{
	char command[128];

	if (mkdtemp(root) == NULL)
		return 1;
	test_unified();
	test_legacy();
	test_container();
	test_nonsense();
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command) != 0 || tap_done();
}
