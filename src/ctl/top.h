/* SPDX-License-Identifier: ISC */
/*
 * The command top: rates, live.
 */
#ifndef ECHOD_CTL_TOP_H
#define ECHOD_CTL_TOP_H

#include "ctl/arguments.h"

/*
 * Show them once a second, `a->rounds` times, or until told to end, until the
 * service ends, or until the reader of standard output has gone: in a terminal
 * on a screen, else as lines of text or JSON.  Returns the exit status.
 */
int top_run(const struct arguments *a);

#endif
