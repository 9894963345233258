/* SPDX-License-Identifier: ISC */
/*
 * The scenes that are explored: services, and the events that they get.
 */
#ifndef ECHOD_TESTS_SCENES_H
#define ECHOD_TESTS_SCENES_H

#include "explore.h"

/* Ended by one without a name. */
extern const struct scene scenes[];

#endif
