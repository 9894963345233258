/* SPDX-License-Identifier: ISC */
/*
 * What a worker waits for: all of it is in its slot's epoll(7) instance, which
 * outlives the worker.
 *
 * Everything is watched level-triggered.  What a worker was told and did not
 * come to is told to the next one again.
 */
#ifndef ECHOD_WORKER_EVENTS_H
#define ECHOD_WORKER_EVENTS_H

#include "worker/worker.h"

/* What an event is about. */
enum event_kind {
	EVENT_CONNECTION, /* number: its descriptor */
	EVENT_WAKE,	  /* the slot's wake-up descriptor */
	EVENT_LISTENER,	  /* number: its index */
	EVENT_MASTER	  /* the master's pidfd: it is gone */
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

/* Watch the wake-up descriptor and the master, and the listeners of the worker
 * before no longer.  Returns as events_add() does. */
int events_init(struct worker *w);

/* The master cannot be watched, or is gone: it is not, any more. */
void events_drop_master(struct worker *w);

/* Watch the listeners, or leave them be.  Those that are shut are left be.  If
 * the kernel is short of something, that is said and w->accept_at is when to
 * try again. */
void events_listen(struct worker *w, bool on);

/* The listener with index `i` is shut. */
void events_shut(struct worker *w, unsigned i);

/* Watch the connection `fd` for what its record waits for: to send what is
 * unsent, else to read, unless it is paused.  If the kernel is short of
 * something (ENOMEM; ENOSPC, which is fs.epoll.max_user_watches), that is said,
 * and events_retry() is to be called at w->enroll_at.  Returns 0 then, too; else
 * -1 with errno set. */
int events_add(struct worker *w, int fd);

/* Watch what could not be: the wake-up descriptor and connections. */
void events_retry(struct worker *w);

/* What its record waits for may have changed. */
void events_update(struct worker *w, int fd);

/* Leave it be: it becomes another slot's. */
void events_forget(struct worker *w, int fd);

/* An event came for a descriptor that is not ours: leave that be. */
void events_disown(struct worker *w, int fd);

/* Sleep until something is ready, a signal comes, or it is `wake` (clock_ms(),
 * CLOCK_NEVER: no limit).  Returns the number of entries of w->event that are
 * filled in, or -1 with errno set. */
int events_wait(struct worker *w, uint64_t wake);

#endif
