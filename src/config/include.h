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
	char *one;   /* the path, if it was no pattern; or NULL */
	char **path; /* of each file, sorted */
	size_t count;
};

/*
 * Find what `pattern`, in the file `from`, stands for: one path, whether there
 * is such a file or not, or with *, ? and [ any number of files.  Relative
 * ones start at the directory of `from`.  Returns 0, and then
 * include_free() is due, or -1 with a reason in `why`.
 */
int include_find(struct include *in, const char *from, const char *pattern,
    char *why, size_t size);

void include_free(struct include *in);

#endif
