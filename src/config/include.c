/* SPDX-License-Identifier: ISC */
/*
 * The files that an `include` names.
 */
#include "config/include.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"
#include "config/value.h"

/* The directory that glob(3) could not read.  Its callback gets a path and no
 * argument. */
static struct {
	char path[256];
	int error;
} include_trouble;

/* A missing directory has no files and is no error. */
static int
include_notice(const char *path, int error)
{
	if (error == ENOENT)
		return 0;
	text_show(include_trouble.path, sizeof(include_trouble.path), path, 0);
	include_trouble.error = error;
	return 1;
}

/* Make `path` from the directory of `from` and `name`.  With `glob`, the
 * special characters of glob(3) in the directory are escaped.  Returns 0, or -1
 * if the path is too long. */
static int
include_path(char *path, size_t size, const char *from, const char *name,
    bool glob)
{
	const char *slash = name[0] == '/' ? NULL : strrchr(from, '/');
	size_t n = 0;

	for (; slash != NULL && from <= slash && n + 2 < size; from++) {
		if (glob && strchr("*?[]\\", *from) != NULL)
			path[n++] = '\\';
		path[n++] = *from;
	}
	return (slash == NULL || from > slash) &&
		(size_t)snprintf(path + n, size - n, "%s", name) < size - n
	    ? 0
	    : -1;
}

int
include_find(struct include *in, const char *from, const char *pattern,
    char *why, size_t size)
{
	char path[2 * PATH_MAX];
	bool glob_it = strpbrk(pattern, "*?[") != NULL;

	memset(in, 0, sizeof(*in));
	if (*pattern == '\0') {
		snprintf(why, size, "no file given");
		return -1;
	}
	if (text_check(pattern, strlen(pattern), 0, why, size) == -1 ||
	    value_check_path(pattern, why, size) == -1)
		return -1;
	if (include_path(path, sizeof(path), from, pattern, glob_it) == -1) {
		snprintf(why, size, "%s", strerror(ENAMETOOLONG));
		return -1;
	}
	if (!glob_it) {
		in->one = strdup(path);
		in->path = &in->one;
		in->count = 1;
		if (in->one != NULL)
			return 0;
		snprintf(why, size, "%s", strerror(ENOMEM));
		return -1;
	}
	switch (glob(path, 0, include_notice, &in->found)) {
	case 0:
		in->path = in->found.gl_pathv;
		in->count = in->found.gl_pathc;
		return 0;
	case GLOB_NOMATCH:
		return 0;
	case GLOB_ABORTED:
		snprintf(why, size, "%s: %s", include_trouble.path,
		    strerror(include_trouble.error));
		break;
	default:
		snprintf(why, size, "%s", strerror(ENOMEM));
	}
	globfree(&in->found);
	return -1;
}

void
include_free(struct include *in)
{
	free(in->one);
	globfree(&in->found);
}
