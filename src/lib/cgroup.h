/* SPDX-License-Identifier: ISC */
/*
 * The control groups that this process is in, v1 or v2.
 */
#ifndef ECHOD_LIB_CGROUP_H
#define ECHOD_LIB_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No limit. */
#define CGROUP_MAX UINT64_MAX

/*
 * In each hierarchy that can have `controller` ("memory", "pids", "cpu"), call
 * `visit` for the directory of our group, then for those above it, as far as
 * they can be seen from in here; `v2` says which version it is.  If `visit`
 * returns false, those above are passed over.  `root` stands before the path
 * of every file that is read: "", or a test's directory.
 */
typedef bool cgroup_visit(void *to, const char *directory, bool v2);
void cgroup_walk(const char *root, const char *controller, cgroup_visit *visit,
    void *to);

/* The number in file `name` of `directory`, CGROUP_MAX for "max".  Returns
 * false if there is none. */
bool cgroup_number(const char *directory, const char *name, uint64_t *n);

/* The two numbers in it ("max 100000"). */
bool cgroup_numbers(const char *directory, const char *name, uint64_t *n,
    uint64_t *second);

/* The number after the word `key` in file `name` ("oom_kill 2").  Returns false
 * if there is none. */
bool cgroup_keyed(const char *directory, const char *name, const char *key,
    uint64_t *n);

#endif
