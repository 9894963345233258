/* SPDX-License-Identifier: ISC */
/*
 * What bounds this process: resource limits (setrlimit(2)), control groups, the
 * machine.  A call that fails for one says which, and what it is.
 */
#ifndef ECHOD_LIB_LIMITS_H
#define ECHOD_LIB_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Before the paths of control groups: "", or a test's directory. */
extern const char *limits_root;

/* The most memory there can be for us: the machine's, or less by a control
 * group.  Which of them it is, in words, in `what`. */
uint64_t limits_memory(char *what, size_t size);

/* The soft limits of how large files are and of address space become the hard
 * ones: a memfd is a file, too, and the arena is much of both. */
void limits_raise(void);

/* Why there can be no memfd, or no mapping, of `bytes` (errno is `error`, and
 * stays so), as an addition to its message: "; RLIMIT_FSIZE (ulimit -f) is
 * ...", or "".  Static storage. */
const char *limits_why_no_room(int error, uint64_t bytes);

/* The same for a process that cannot be made. */
const char *limits_why_no_process(int error);

/* How often the kernel has killed for want of memory: in our control group,
 * or on this machine if that does not say.  0 if nothing does. */
uint64_t limits_oom_kills(void);

#endif
