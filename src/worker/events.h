/* SPDX-License-Identifier: ISC */
/*
 * The slot's epoll(7) instance: everything that a worker waits for.  The
 * instance outlives the worker.
 *
 * Every descriptor is watched level-triggered.  An event that a worker received
 * and did not handle is reported again to its successor.
 */
#ifndef ECHOD_WORKER_EVENTS_H
#define ECHOD_WORKER_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "lib/log.h"
#include "shared/arena.h"
#include "shared/worker_place.h"
#include "worker/timers.h"

/* Events taken at a time.  The kernel reports the others next time. */
#define EVENTS_MAX 128

/* What an event is about. */
enum event_kind {
	EVENT_CONNECTION, /* number: its descriptor */
	EVENT_WAKE,	  /* the slot's wake-up descriptor */
	EVENT_LISTENER,	  /* number: its index */
	EVENT_MASTER	  /* the master's pidfd: it may be gone */
};

struct events {
	const struct arena *arena;
	struct slot *slot;
	struct timers *timers; /* the worker's */
	bool listening;	       /* listeners are watched ... */
	unsigned listeners;    /* ... and so many there were */
	uint64_t shut;	       /* listeners that are shut, one bit each */
	struct log_rate_limit shortages;
	struct epoll_event event[EVENTS_MAX]; /* of events_wait() */
};

static inline enum event_kind
events_kind(const struct epoll_event *e)
{
	return (enum event_kind)(e->data.u64 >> 32);
}

static inline int
events_number(const struct epoll_event *e)
{
	return (int)(uint32_t)e->data.u64;
}

void events_init(struct events *e, const struct arena *a,
    const struct worker_place *place, struct timers *timers);

/* Watch the wake-up descriptor; stop watching the listeners of the former
 * worker.  Returns 0, or -1 with errno set. */
int events_begin(struct events *e);

/* Watch the wake-up descriptor.  If the kernel is short of memory, the log says
 * so, TIMER_ENROLL is set and 0 is returned; else 0, or -1 with errno set. */
int events_watch_wake(struct events *e);

/* Watch the master by its pidfd, for one event: the pidfd of a process that has
 * ended is ready for ever, and would end every sleep of the slot's workers.
 * Returns false if it cannot be watched. */
bool events_watch_master(struct events *e, int pidfd);

/* Watch the listeners that are not shut, or stop watching all.  If the kernel
 * is short of memory, the log says so and TIMER_ACCEPT is set. */
void events_listen(struct events *e, bool on);

/* Stop watching the listener with index `i` until events_listen(). */
void events_rest(struct events *e, unsigned i);

/* True if the master has added a listener since events_listen(). */
bool events_has_new_listener(const struct events *e);

/* The listener with index `i` is shut: it is never watched again. */
void events_shut(struct events *e, unsigned i);

static inline bool
events_is_shut(const struct events *e, unsigned i)
{
	return (e->shut & UINT64_C(1) << i) != 0;
}

/* Watch the connection `fd` for what its record waits for: to send if bytes are
 * unsent, else to receive unless it is paused.  If the kernel is short of
 * memory (ENOMEM; ENOSPC, which is fs.epoll.max_user_watches), the log says so,
 * TIMER_ENROLL is set and 0 is returned; else 0, or -1 with errno set. */
int events_add(struct events *e, int fd);

/* What the record of `fd` waits for may have changed. */
void events_update(struct events *e, int fd);

/* Stop watching the connection `fd`: it becomes another slot's. */
void events_forget(struct events *e, int fd);

/* An event came for a descriptor that is not ours: stop watching it. */
void events_disown(struct events *e, int fd);

/* Sleep until something is ready, a signal comes, or it is `wake` (clock_ms(),
 * CLOCK_NEVER: no limit).  Returns how many entries of e->event are filled in,
 * or -1 with errno set. */
int events_wait(struct events *e, uint64_t wake);

#endif
