/* SPDX-License-Identifier: ISC */
/*
 * Advice about the configuration, for readers of the log.
 */
#ifndef ECHOD_MASTER_START_ADVICE_H
#define ECHOD_MASTER_START_ADVICE_H

#include "config/config.h"

/* Log what a reader should know of `c`: values that were changed, and
 * combinations that are hardly meant. */
void advice_log(const struct config *c);

#endif
