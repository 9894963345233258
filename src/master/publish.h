/* SPDX-License-Identifier: ISC */
/*
 * What the master says of itself in the service state.
 */
#ifndef ECHOD_MASTER_PUBLISH_H
#define ECHOD_MASTER_PUBLISH_H

#include "master/master.h"

/* Put into the service state what answers to an administrator need, and what
 * the master's other modules do not keep there. */
void publish_state(const struct master *m);

#endif
