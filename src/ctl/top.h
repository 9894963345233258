/*
 * Rates, live: a screen in a terminal, lines otherwise.
 */
#ifndef ECHOD_CTL_TOP_H
#define ECHOD_CTL_TOP_H

/* Show those of the master at `path` once a second, `rounds` times (0: until
 * told to end).  Returns the exit status. */
int top_run(const char *path, unsigned rounds);

#endif
