/* SPDX-License-Identifier: ISC */
/*
 * The shortest input that still breaks a promise.
 */
#ifndef ECHOD_HANDLER_TEST_SHRINK_H
#define ECHOD_HANDLER_TEST_SHRINK_H

#include "handler-test/checks.h"
#include "handler-test/tester.h"

/* The CPU time of a step, if there was one that did not return: the next ones
 * are not worth more. */
#define SHRINK_STEP_MS 100

/* Cut bytes out of the input of a check that breaks promise `p`, until each
 * further cut keeps the promise.  `input` is writable; returns its new size.
 * The finding is the one of the short input. */
size_t shrink_input(const struct check *c, enum promise p, char *input);

#endif
