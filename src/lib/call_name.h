/* SPDX-License-Identifier: ISC */
/*
 * Names of system calls.
 */
#ifndef ECHOD_LIB_CALL_NAME_H
#define ECHOD_LIB_CALL_NAME_H

#include <stdint.h>

/* The name of system call `number` of architecture `arch` (AUDIT_ARCH_...), or
 * "number 1234" if it is unknown.  Static storage: the next call overwrites
 * it. */
const char *call_name(uint32_t arch, int number);

#endif
