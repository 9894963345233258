/* SPDX-License-Identifier: ISC */
/*
 * The CPU time that control groups leave us.
 */
#ifndef ECHOD_CONFIG_QUOTA_H
#define ECHOD_CONFIG_QUOTA_H

/*
 * The CPU quota of this process, by cgroups(7) of both versions: the least of
 * its own group and of those above it, in thousandths of a processor.  0 means
 * none, or that nobody tells.  `root` stands before the path of every file
 * that is read: "", or a test's directory.
 */
unsigned quota_cpu(const char *root);

#endif
