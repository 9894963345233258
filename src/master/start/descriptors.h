/* SPDX-License-Identifier: ISC */
/*
 * The number of descriptors that the service may have.
 */
#ifndef ECHOD_MASTER_START_DESCRIPTORS_H
#define ECHOD_MASTER_START_DESCRIPTORS_H

#include "config/config.h"

/* Descriptors that the service of `c` needs. */
unsigned descriptors_needed(const struct config *c);

/* Limit the process to `descriptors`: a descriptor beyond the arena's records
 * must not exist.  Stores the hard limit in `most`.  Returns 0, or -1 with the
 * reason logged. */
int descriptors_limit(unsigned descriptors, unsigned long *most);

#endif
