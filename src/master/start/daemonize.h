/* SPDX-License-Identifier: ISC */
/*
 * Leaving the terminal.
 */
#ifndef ECHOD_MASTER_START_DAEMONIZE_H
#define ECHOD_MASTER_START_DAEMONIZE_H

/*
 * Go on in a child process with a session of its own, in the root directory.
 * The parent does not return: it exits with 0 when the child calls
 * daemonize_ready(), or with the child's exit status if the child ends before.
 * Until then the child keeps the terminal for its warnings.  Returns 0 in the
 * child, or -1 with errno set.
 */
int daemonize(void);

/* The service is up: let the parent exit with 0, and leave the terminal.
 * Without daemonize() this does nothing. */
void daemonize_ready(void);

#endif
