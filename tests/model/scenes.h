/* SPDX-License-Identifier: ISC */
/*
 * What is explored: services, and what happens to them.
 */
#ifndef ECHOD_TESTS_SCENES_H
#define ECHOD_TESTS_SCENES_H

#include "explore.h"

/* Ended by one without a name. */
extern const struct scene scenes[];

#endif
