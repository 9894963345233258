/*
 * What a worker waits for: all of it is in its slot's epoll(7) instance, which
 * outlives the worker.
 *
 * Everything is watched level-triggered.  What a worker was told and did not
 * come to is told to the next one again.
 */
#ifndef ECHOD_WORKER_WATCH_H
#define ECHOD_WORKER_WATCH_H

#include "worker/worker.h"

/* What an event is about. */
enum watched {
	WATCHED_CONNECTION, /* number: its descriptor */
	WATCHED_WAKE,	    /* the slot's wake-up descriptor */
	WATCHED_LISTENER,   /* number: its index */
	WATCHED_MASTER	    /* the master's pidfd: it is gone */
};

static inline enum watched
watch_kind(const struct epoll_event *e)
{
	return (enum watched)(e->data.u64 >> 32);
}

static inline int
watch_number(const struct epoll_event *e)
{
	return (int)(uint32_t)e->data.u64;
}

/* Watch the wake-up descriptor and the master, and the listeners of the worker
 * before no longer.  Returns as watch_add() does. */
int watch_init(struct worker *w);

/* The master cannot be watched, or is gone: it is not, any more. */
void watch_orphaned(struct worker *w);

/* Watch the listeners, or leave them be.  Those that are shut are left be.  If
 * the kernel is short of something, that is said and w->accept_at is when to
 * try again. */
void watch_listen(struct worker *w, bool on);

/* The listener with index `i` is shut. */
void watch_shut(struct worker *w, unsigned i);

/* Watch the connection `fd` for what its record waits for: to send what is
 * unsent, else to read, unless it is paused.  If the kernel is short of
 * something (ENOMEM; ENOSPC, which is fs.epoll.max_user_watches), that is said,
 * and watch_again() is to be called at w->enroll_at.  Returns 0 then, too; else
 * -1 with errno set. */
int watch_add(struct worker *w, int fd);

/* Watch what could not be: the wake-up descriptor and connections. */
void watch_again(struct worker *w);

/* What its record waits for may have changed. */
void watch_update(struct worker *w, int fd);

/* Leave it be: it becomes another slot's. */
void watch_forget(struct worker *w, int fd);

/* An event came for a descriptor that is not ours: leave that be. */
void watch_disown(struct worker *w, int fd);

/* Sleep until something is ready, a signal comes, or it is `wake` (clock_ms(),
 * CLOCK_NEVER: no limit).  Returns the number of entries of w->event that are
 * filled in, or -1 with errno set. */
int watch_wait(struct worker *w, uint64_t wake);

#endif
