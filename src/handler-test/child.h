/* SPDX-License-Identifier: ISC */
/*
 * A child that runs the module: what it does to itself stays in there, and is
 * a finding.
 */
#ifndef ECHOD_HANDLER_TEST_CHILD_H
#define ECHOD_HANDLER_TEST_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "handler-test/checks.h"
#include "handler-test/module.h"

/* Map the memory that parent and children share.  The module, as for
 * module_load(). */
void child_begin(const char *path, const struct echod_option *options,
    size_t count);

/* Load the module in a child, and tell about it in `tester`.  Returns false
 * with tester->error if it is none. */
bool child_look(void);

/* Try the promises with one input in a child.  `limit_ms` of CPU time for one
 * step.  Returns false if the child did not come to its end: there is a
 * finding, and checks of this input were left out. */
bool child_check(const struct check *c, unsigned limit_ms);

#endif
