/*
 * An echod whose workers die before they serve: it passes the check that a
 * reload makes, and cannot take over.
 */
#include "worker/worker.h"

int
worker_main(const struct config *config, const struct arena *arena,
    unsigned number, pid_t master)
{
	(void)config;
	(void)arena;
	(void)number;
	(void)master;
	return WORKER_FAILED;
}
