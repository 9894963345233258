/* SPDX-License-Identifier: ISC */
/*
 * The journal of systemd as what we write to, systemd.exec(5), JOURNAL_STREAM.
 */
#ifndef ECHOD_LIB_JOURNAL_H
#define ECHOD_LIB_JOURNAL_H

#include <stdbool.h>

/* True if the descriptor leads to the journal, which notes time, program and
 * pid of each line by itself, and takes its priority from a "<4>" before it,
 * sd-daemon(3). */
bool journal_is(int fd);

#endif
