/* SPDX-License-Identifier: ISC */
/*
 * The control groups of this process, version 1 and 2 (cgroups(7)).
 */
#ifndef ECHOD_LIB_CGROUP_H
#define ECHOD_LIB_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of "max": no limit. */
#define CGROUP_MAX UINT64_MAX

/*
 * In each hierarchy that can have `controller` ("memory", "pids", "cpu"), call
 * `visit` for the directory of our group and then for each visible group above
 * it.  `v2` tells the version.  If `visit` returns false, the groups above are
 * skipped.  `root` is put before every path that is read: "", or the directory
 * of a test.
 */
typedef bool cgroup_visit(void *to, const char *directory, bool v2);
void cgroup_walk(const char *root, const char *controller, cgroup_visit *visit,
    void *to);

/* Read the number in file `name` of `directory`, CGROUP_MAX for "max".  Returns
 * false if there is none. */
bool cgroup_number(const char *directory, const char *name, uint64_t *n);

/* Read two numbers ("max 100000"). */
bool cgroup_numbers(const char *directory, const char *name, uint64_t *n,
    uint64_t *second);

/* Read the number after the word `key` in file `name` ("oom_kill 2").  Returns
 * false if there is none. */
bool cgroup_keyed(const char *directory, const char *name, const char *key,
    uint64_t *n);

#endif
