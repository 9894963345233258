/* SPDX-License-Identifier: ISC */
/*
 * What the master knows of the worker process of a slot.
 */
#ifndef ECHOD_MASTER_CHILD_H
#define ECHOD_MASTER_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/pidfd.h"

/* Times are clock_ms(). */
struct child {
	pid_t pid;		/* 0: there is no process */
	int pidfd;		/* its slot's number, service state; 0: none */
	bool ended;		/* the pidfd says so; not reaped yet */
	bool foreign;		/* a former master's child */
	uint64_t started;	/* when the process was started */
	uint64_t respawn_at;	/* next start; CLOCK_NEVER: not wanted */
	unsigned backoff;	/* ms that the next respawn has to wait */
	unsigned failed_starts; /* deaths in a row before it served */
	uint64_t blamed;	/* when deaths by clients are at their rate */
	bool retiring;		/* the worker goes, and its slot too */
	unsigned adopt;		/* slot + 1 of the worker that was asked to
				   adopt this slot; 0: none was */
	/* The watchdog's. */
	uint64_t heartbeat; /* last one seen */
	uint64_t since;	    /* when it was seen first */
	uint64_t stopped;   /* when a signal stopped it; 0: it runs */
	bool hung;	    /* killed because it was stuck */
	/* The out-of-memory watch's. */
	unsigned oom; /* deaths in a row for want of memory */
};

/* Send a signal to the worker.  A former master's worker can have been reaped,
 * and its pid can be another process by now. */
static inline void
child_signal(const struct child *c, int signo)
{
	/* Without a pidfd, or if an intruder has put another descriptor in its
	 * place. */
	if (c->pid != 0 && !pidfd_is(c->pidfd))
		(void)kill(c->pid, signo);
	else if (c->pid != 0)
		(void)pidfd_signal(c->pidfd, signo);
}

/* True if the worker, a former master's child, has ended. */
static inline bool
child_is_gone(const struct child *c)
{
	return pidfd_is(c->pidfd) ? pidfd_has_ended(c->pidfd)
				  : kill(c->pid, 0) == -1 && errno == ESRCH;
}

#endif
