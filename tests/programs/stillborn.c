/* SPDX-License-Identifier: ISC */
/*
 * An echod whose workers die before they serve: it passes the check that a
 * reload makes, and cannot take over.  Before they die they do what an attacker
 * in a worker could to the program that it is given back to.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker/loop.h"

/* What the record of the takeover would say, if it were read once more. */
static void
forge(void)
{
	static const char item[] = "set.maxclients=77";
	char path[64], name[64];

	for (int fd = 3; fd < 256; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		if (strstr(name, "echod-takeover") != NULL &&
		    lseek(fd, 0, SEEK_END) > 0)
			(void)!write(fd, item, sizeof(item));
	}
}

int
worker_main(const struct config *config, const struct arena *arena,
    const struct worker_place *place)
{
	(void)config;
	(void)arena;
	(void)place;
	forge();
	return WORKER_FAILED;
}
