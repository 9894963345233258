/* SPDX-License-Identifier: ISC */
/*
 * A wait status in words.
 */
#ifndef ECHOD_LIB_WAIT_STATUS_H
#define ECHOD_LIB_WAIT_STATUS_H

/* "killed by SIGSEGV (core dumped)" or "exited with status 1" for a `status` of
 * wait(2); static storage. */
const char *wait_status_words(int status);

#endif
