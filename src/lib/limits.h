/* SPDX-License-Identifier: ISC */
/*
 * The limits of this process: resource limits (setrlimit(2)), control groups,
 * the machine.  If a call fails because of one, the message names the limit and
 * its value.
 */
#ifndef ECHOD_LIB_LIMITS_H
#define ECHOD_LIB_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Put before the paths of control groups: "", or the directory of a test. */
extern const char *limits_root;

/* The memory in bytes that this process may use: that of the machine, or less
 * by a control group.  `what` gets the name of that limit. */
uint64_t limits_memory(char *what, size_t size);

/* Raise the soft limits of file size and address space to the hard ones.  The
 * arena is a large file (a memfd) and a large mapping. */
void limits_raise(void);

/* The reason why a memfd or a mapping of `bytes` failed with `error`, to be
 * appended to a message: "; RLIMIT_FSIZE (ulimit -f) is ...", or "".  Sets
 * errno to `error`.  Static storage. */
const char *limits_why_no_room(int error, uint64_t bytes);

/* The same for a process that cannot be created. */
const char *limits_why_no_process(int error);

/* How often the kernel has killed a process because memory ran out: in our
 * control group or, if that does not count, on this machine.  0 if unknown. */
uint64_t limits_oom_kills(void);

#endif
