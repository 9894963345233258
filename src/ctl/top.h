/*
 * Rates, live: a screen in a terminal, lines otherwise.
 */
#ifndef ECHOD_CTL_TOP_H
#define ECHOD_CTL_TOP_H

#include <stdbool.h>

/* Show those of the master at `path` once a second, `rounds` times (0: until
 * told to end, or until the reader of standard output has gone); as `json`, an
 * object a line.  Returns the exit status. */
int top_run(const char *path, unsigned rounds, bool json);

#endif
