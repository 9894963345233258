/*
 * The CPU time that control groups leave us.
 *
 * A container or a unit with half a processor still has the affinity of the
 * whole machine; more workers than it can run only take turns.
 */
#include "config/quota.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#define QUOTA_LINE 4096

/* A hierarchy that can limit CPU time. */
struct hierarchy {
	bool unified;			/* version 2 */
	char root[PATH_MAX];		/* what of it is mounted */
	char mount[PATH_MAX];		/* where */
};

/* True if `word` is in the list, which commas separate. */
static bool
quota_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; list != NULL; list = strchr(list, ',')) {
		if (*list == ',')
			list++;
		if (strncmp(list, word, len) == 0 &&
		    strchr(",\n", list[len]) != NULL)
			return true;
	}
	return false;
}

/* One line of /proc/self/mountinfo, proc(5).  Returns whether it is such a
 * hierarchy. */
static bool
quota_mount(struct hierarchy *h, const char *line)
{
	char type[64], options[1024];
	const char *rest = strstr(line, " - ");

	if (rest == NULL || sscanf(line, "%*s %*s %*s %4095s %4095s", h->root,
	    h->mount) != 2 ||
	    sscanf(rest, " - %63s %*s %1023s", type, options) != 2)
		return false;
	h->unified = strcmp(type, "cgroup2") == 0;
	return h->unified || (strcmp(type, "cgroup") == 0 &&
	    quota_listed(options, "cpu"));
}

/* Where we are in the hierarchy, by /proc/self/cgroup, in `path`. */
static bool
quota_group(const struct hierarchy *h, const char *root, char *path,
    size_t size)
{
	char line[QUOTA_LINE];
	bool found = false;
	FILE *in;

	snprintf(line, sizeof(line), "%s/proc/self/cgroup", root);
	in = fopen(line, "re");
	while (in != NULL && !found &&
	    fgets(line, sizeof(line), in) != NULL) {
		char *list = strchr(line, ':'), *place;

		if (list == NULL || (place = strchr(list + 1, ':')) == NULL)
			continue;
		*place++ = '\0';
		place[strcspn(place, "\n")] = '\0';
		found = (h->unified ? list[1] == '\0' :
		    quota_listed(list + 1, "cpu")) &&
		    strlcpy(path, place, size) < size;
	}
	if (in != NULL)
		fclose(in);
	return found;
}

/* Read as many numbers, one or two, from a file of the group. */
static bool
quota_numbers(const char *directory, const char *file, int want,
    long long *first, long long *second)
{
	char path[2 * PATH_MAX + 64];
	FILE *in;
	int n;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	in = fopen(path, "re");
	if (in == NULL)
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers */
	n = fscanf(in, "%lld %lld", first, second);
	fclose(in);
	return n >= want;
}

/* The limit of one group, in thousandths, or 0. */
static unsigned
quota_limit(const struct hierarchy *h, const char *directory)
{
	long long quota, period, none;

	if (h->unified ? !quota_numbers(directory, "cpu.max", 2, &quota,
	    &period) : !quota_numbers(directory, "cpu.cfs_quota_us", 1,
	    &quota, &none) || !quota_numbers(directory, "cpu.cfs_period_us",
	    1, &period, &none))
		return 0;
	if (quota <= 0 || period <= 0 || quota > LLONG_MAX / 1000 - period ||
	    quota / period >= 1000000)
		return 0;
	return (unsigned)((quota * 1000 + period - 1) / period);
}

/* The least limit of our group and of those above it. */
static unsigned
quota_of(const struct hierarchy *h, const char *root)
{
	char group[PATH_MAX], directory[2 * PATH_MAX + 1];
	const char *below = group;
	size_t base, len = strlen(h->root);
	unsigned least = 0, limit;
	char *end;

	if (!quota_group(h, root, group, sizeof(group)))
		return 0;
	/* In a container the mount can begin at our group, or above it. */
	if (strcmp(h->root, "/") != 0)
		below = strncmp(group, h->root, len) == 0 &&
		    (group[len] == '/' || group[len] == '\0') ?
		    group + len : "";
	if (strstr(below, "/..") != NULL || strcmp(below, "/") == 0)
		below = "";
	base = (size_t)snprintf(directory, sizeof(directory), "%s%s", root,
	    h->mount);
	if (base >= sizeof(directory) || strlcat(directory, below,
	    sizeof(directory)) >= sizeof(directory))
		return 0;
	for (;;) {
		limit = quota_limit(h, directory);
		if (limit != 0 && (least == 0 || limit < least))
			least = limit;
		end = strrchr(directory + base, '/');
		if (end == NULL)
			return least;
		*end = '\0';
	}
}

unsigned
quota_cpu(const char *root)
{
	static struct hierarchy h;
	char line[QUOTA_LINE];
	unsigned least = 0, quota;
	FILE *in;

	snprintf(line, sizeof(line), "%s/proc/self/mountinfo", root);
	in = fopen(line, "re");
	if (in == NULL)
		return 0;
	while (fgets(line, sizeof(line), in) != NULL) {
		quota = quota_mount(&h, line) ? quota_of(&h, root) : 0;
		if (quota != 0 && (least == 0 || quota < least))
			least = quota;
	}
	fclose(in);
	return least;
}
