/* SPDX-License-Identifier: ISC */
/*
 * The control groups of this process, and their files: cgroups(7), proc(5).
 */
#include "lib/cgroup.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

/* A mounted hierarchy that can have the controller. */
struct hierarchy {
	bool v2;
	char root[PATH_MAX];  /* the group that is mounted */
	char mount[PATH_MAX]; /* the mount point */
};

static FILE *
cgroup_open(const char *directory, const char *name)
{
	char path[2 * PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return fopen(path, "re");
}

/* Whether `word` is in the comma-separated list `words`. */
static bool
cgroup_lists(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; (p = strstr(p, word)) != NULL; p += len)
		if ((p == words || p[-1] == ',') &&
		    (p[len] == '\0' || p[len] == ',' || p[len] == '\n'))
			return true;
	return false;
}

/* /proc/self/mountinfo writes blanks and some other characters as octal
 * numbers. */
static void
cgroup_unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; to++)
		if (p[0] == '\\' && isdigit((unsigned char)p[1]) &&
		    isdigit((unsigned char)p[2]) &&
		    isdigit((unsigned char)p[3])) {
			*to = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 |
			    (p[3] - '0'));
			p += 4;
		} else
			*to = *p++;
	*to = '\0';
}

/* Parse a line of /proc/self/mountinfo.  Returns true if it is a hierarchy that
 * can have the controller. */
static bool
cgroup_mount(struct hierarchy *h, const char *line, const char *controller)
{
	char type[64], options[1024];
	const char *rest = strstr(line, " - ");

	_Static_assert(PATH_MAX == 4096, "widths below");
	if (rest == NULL ||
	    sscanf(line, "%*s %*s %*s %4095s %4095s", h->root, h->mount) != 2 ||
	    sscanf(rest, " - %63s %*s %1023s", type, options) != 2)
		return false;
	cgroup_unescape(h->root);
	cgroup_unescape(h->mount);
	h->v2 = strcmp(type, "cgroup2") == 0;
	return h->v2 ||
	    (strcmp(type, "cgroup") == 0 && cgroup_lists(options, controller));
}

/* Store the path of our group in the hierarchy, from /proc/self/cgroup. */
static bool
cgroup_path(const struct hierarchy *h, const char *root, const char *controller,
    char *path, size_t size)
{
	FILE *f = cgroup_open(root, "proc/self/cgroup");
	char line[PATH_MAX + 128];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		char *list = strchr(line, ':'), *p;

		if (list == NULL || (p = strchr(++list, ':')) == NULL)
			continue;
		*p++ = '\0';
		p[strcspn(p, "\n")] = '\0';
		found = (h->v2 ? *list == '\0'
			       : cgroup_lists(list, controller)) &&
		    strlcpy(path, p, size) < size;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/* The part of `path` below the mounted group `root`.  A container sees only
 * groups below it, so any other path becomes "". */
static const char *
cgroup_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (strstr(path, "/..") != NULL || strcmp(path, "/") == 0)
		return "";
	if (strcmp(root, "/") == 0)
		return path;
	if (strncmp(path, root, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return "";
	return path + len;
}

/* Visit our group in one hierarchy and the groups above it. */
static void
cgroup_climb(const struct hierarchy *h, const char *root, const char *path,
    cgroup_visit *visit, void *to)
{
	char directory[2 * PATH_MAX + 1], *end;
	int base = snprintf(directory, sizeof(directory), "%s%s", root,
	    h->mount);

	if (base < 0 || (size_t)base >= sizeof(directory) ||
	    strlcat(directory, cgroup_below(path, h->root),
		sizeof(directory)) >= sizeof(directory))
		return;
	while (visit(to, directory, h->v2)) {
		end = strrchr(directory + base, '/');
		if (end == NULL)
			return;
		*end = '\0';
	}
}

void
cgroup_walk(const char *root, const char *controller, cgroup_visit *visit,
    void *to)
{
	FILE *f = cgroup_open(root, "proc/self/mountinfo");
	char line[3 * PATH_MAX], path[PATH_MAX];
	struct hierarchy h;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (cgroup_mount(&h, line, controller) &&
		    cgroup_path(&h, root, controller, path, sizeof(path)))
			cgroup_climb(&h, root, path, visit, to);
	if (f != NULL)
		fclose(f);
}

/* Parse a number or "max".  Returns the rest of the text, or NULL. */
static const char *
cgroup_parse(const char *text, uint64_t *n)
{
	char *end;

	text += strspn(text, " ");
	if (strncmp(text, "max", 3) == 0) {
		*n = CGROUP_MAX;
		return text + 3;
	}
	*n = strtoull(text, &end, 10);
	return end == text ? NULL : end;
}

bool
cgroup_numbers(const char *directory, const char *name, uint64_t *n,
    uint64_t *second)
{
	FILE *f = cgroup_open(directory, name);
	const char *p = NULL;
	char line[64];

	if (f == NULL)
		return false;
	if (fgets(line, sizeof(line), f) != NULL)
		p = cgroup_parse(line, n);
	if (p != NULL && second != NULL)
		p = cgroup_parse(p, second);
	fclose(f);
	return p != NULL;
}

bool
cgroup_number(const char *directory, const char *name, uint64_t *n)
{
	return cgroup_numbers(directory, name, n, NULL);
}

bool
cgroup_keyed(const char *directory, const char *name, const char *key,
    uint64_t *n)
{
	FILE *f = cgroup_open(directory, name);
	size_t len = strlen(key);
	bool good = false;
	char line[256];

	while (f != NULL && !good && fgets(line, sizeof(line), f) != NULL)
		good = strncmp(line, key, len) == 0 && line[len] == ' ' &&
		    cgroup_parse(line + len, n) != NULL;
	if (f != NULL)
		fclose(f);
	return good;
}
