/* SPDX-License-Identifier: ISC */
/*
 * The files that an `include` names.
 */
#ifndef ECHOD_CONFIG_INCLUDE_H
#define ECHOD_CONFIG_INCLUDE_H

#include <glob.h>
#include <stddef.h>

struct include {
	glob_t found;
	char *one;   /* the path if it is not a pattern, or NULL */
	char **path; /* of each file, sorted */
	size_t count;
};

/*
 * Find the files that `pattern`, in the file `from`, names.  Without *, ? and [
 * it names one path, which need not exist; with them, any number of existing
 * files.  A relative pattern starts at the directory of `from`.  Returns 0, and
 * the caller must call include_free(); or -1 with a reason in `why`.
 */
int include_find(struct include *in, const char *from, const char *pattern,
    char *why, size_t size);

void include_free(struct include *in);

#endif
