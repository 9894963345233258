/*
 * The list of connections: passed on as it comes, or sorted.
 */
#ifndef ECHOD_CTL_ROWS_H
#define ECHOD_CTL_ROWS_H

#include <stdbool.h>

struct rows_wish {
	const char *sort;		/* age, idle, in, out, peer; or NULL */
	const char *worker;		/* only its connections, or NULL */
	const char *peer;		/* only those that begin so, or NULL */
	bool json;
};

/* True if rows can be sorted by what is called `key`. */
bool rows_knows(const char *key);

/* Print what the master at `path` has.  Returns the exit status. */
int rows_print(const char *path, const struct rows_wish *wish);

#endif
