/* SPDX-License-Identifier: ISC */
/*
 * The CPU quota of control groups.
 */
#ifndef ECHOD_CONFIG_QUOTA_H
#define ECHOD_CONFIG_QUOTA_H

/*
 * The CPU quota of this process in thousandths of a processor: the lowest of
 * its own control group and the groups above it, cgroups(7), version 1 and 2.
 * 0 if there is no quota or it is unknown.  `root` is put before every path
 * that is read: "", or the directory of a test.
 */
unsigned quota_cpu(const char *root);

#endif
