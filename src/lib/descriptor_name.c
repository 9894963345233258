/* SPDX-License-Identifier: ISC */
/*
 * Finding out which paths are names of descriptors.
 */
#include "lib/descriptor_name.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

/* The kernel follows as many, path_resolution(7). */
#define LINKS_MAX 40

static int
descriptor_name_number(const char *text)
{
	const char *reason;
	int fd = (int)strtonum(text, 0, INT_MAX, &reason);

	/* 01, +1 and the like are not names. */
	if (reason != NULL || *text < '0' || *text > '9' ||
	    (text[0] == '0' && text[1] != '\0'))
		return -1;
	return fd;
}

/* The well-known names.  They need no /proc. */
static int
descriptor_name_known(const char *path)
{
	static const char *const streams[] = { "/dev/stdin", "/dev/stdout",
		"/dev/stderr" };
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/",
		"/proc/thread-self/fd/" };

	for (int i = 0; i < 3; i++) {
		size_t len = strlen(folders[i]);

		if (strcmp(path, streams[i]) == 0)
			return i;
		if (strncmp(path, folders[i], len) == 0)
			return descriptor_name_number(path + len);
	}
	return -1;
}

static bool
descriptor_name_is_ours(const char *directory)
{
	static const char *const ours[] = { "/proc/self/fd",
		"/proc/thread-self/fd" };
	char real[PATH_MAX];

	for (int i = 0; i < 2; i++)
		if (realpath(ours[i], real) != NULL &&
		    strcmp(real, directory) == 0)
			return true;
	return false;
}

int
descriptor_name(const char *path)
{
	char here[PATH_MAX], folder[PATH_MAX], target[PATH_MAX];
	char whole[2 * PATH_MAX + 2];
	int fd = -1;

	if (strlcpy(here, path, sizeof(here)) >= sizeof(here))
		return -1;
	for (int i = 0; i < LINKS_MAX; i++) {
		char *slash = strrchr(here, '/');
		ssize_t n;

		fd = descriptor_name_known(here);
		if (fd != -1 || slash == NULL)
			return fd;
		*slash = '\0';
		if (realpath(slash == here ? "/" : here, folder) == NULL)
			return -1;
		if (descriptor_name_is_ours(folder))
			return descriptor_name_number(slash + 1);
		snprintf(whole, sizeof(whole), "%s/%s",
		    strcmp(folder, "/") == 0 ? "" : folder, slash + 1);
		fd = descriptor_name_known(whole);
		if (fd != -1)
			return fd;
		n = readlink(whole, target, sizeof(target) - 1);
		if (n == -1)
			return -1;
		target[n] = '\0';
		if (target[0] != '/')
			snprintf(whole, sizeof(whole), "%s/%s", folder, target);
		if (strlcpy(here, target[0] == '/' ? target : whole,
			sizeof(here)) >= sizeof(here))
			return -1;
	}
	return -1;
}
