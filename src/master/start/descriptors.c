/* SPDX-License-Identifier: ISC */
/*
 * The number of descriptors that the service may have.
 */
#include "master/start/descriptors.h"

#include <sys/resource.h>

#include "config/validate.h"
#include "lib/log.h"

unsigned
descriptors_needed(const struct config *c)
{
	return c->defaults.maxclients + config_reserved_descriptors(c);
}

int
descriptors_limit(unsigned descriptors, unsigned long *most)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = descriptors;
		*most = rl.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &rl) == 0)
			return 0;
	}
	log_warn("limit of %u descriptors", descriptors);
	return -1;
}
