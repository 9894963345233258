/* SPDX-License-Identifier: ISC */
/*
 * The master's own copy of what it alone decides: struct service_state.
 */
#ifndef ECHOD_SHARED_SERVICE_H
#define ECHOD_SHARED_SERVICE_H

#include "shared/arena.h"

/* What the service as a whole is doing. */
enum service_mode {
	SERVICE_SERVING,
	SERVICE_RELOADING,
	SERVICE_STOPPING
};

/*
 * What the master alone decides.  It says so in the header and in the slots,
 * for workers to read, but does not read it there: this copy, in its memory,
 * is what it goes by.  A program that takes over has its copy from the arena,
 * before it has a worker; so the one before sees to it, when it has none any
 * more, that the arena says what is true (service_publish()).
 */
struct service_state {
	uint32_t version, descriptors;
	uint64_t started;
	int32_t pid;   /* of the master */
	uint32_t mode; /* enum service_mode */
	unsigned workers;
	unsigned listeners, dropped;
	struct listener listener[2 * ARENA_LISTENERS_MAX];
	int master_pidfd;   /* this program's own, or 0 */
	int master_wake_fd; /* these three 0: none yet */
	struct {
		int wake_fd, watch_fd;
		int32_t pid;  /* of its worker; 0: none */
		bool stopped; /* by a signal, SIGSTOP for one */
	} slot[ARENA_SLOTS_MAX];
	uint64_t stop_deadline;
	_Atomic uint32_t loglevel; /* atomic for log_follow() only */
	bool draining;
	struct service_totals totals;
	/* The memfd, by which it is known again. */
	uint64_t device, inode;
};

/* Make a->service, as the arena has it now.  Returns 0, or -1 if memory is
 * short. */
int service_make(struct arena *a);

#endif
