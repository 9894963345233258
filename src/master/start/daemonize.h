/* SPDX-License-Identifier: ISC */
/*
 * Leaving the terminal.
 */
#ifndef ECHOD_MASTER_START_DAEMONIZE_H
#define ECHOD_MASTER_START_DAEMONIZE_H

/*
 * Go on in a child process and session of its own, in the root directory.  The parent does not
 * return: it exits with 0 once the child calls daemonize_ready(), and with
 * the child's exit status if that ends before.  Until then the child keeps the
 * terminal for what it has to complain of.  Returns 0 in the child, or -1 with
 * errno set.
 */
int daemonize(void);

/* The service is up: let the parent exit 0 and leave the terminal.  Does nothing if daemonize() was not called. */
void daemonize_ready(void);

#endif
