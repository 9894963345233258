/* SPDX-License-Identifier: ISC */
/*
 * Starting worker processes.
 */
#include "master/spawn.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "master/clone.h"
#include "master/oom.h"

/* The time after which a start that failed is tried again, ms. */
#define RETRY_MS 1000

/*
 * Take a descriptor for a pidfd that comes later (dup3(2)).  Its number is
 * never closed, so it is never another descriptor's: a standby may find the
 * number in an account that is old.  `value` 1 makes the descriptor readable,
 * as the pidfd of a process that has ended.
 */
static int
spawn_number(int32_t *number, unsigned value)
{
	int fd;

	if (*number != 0)
		return 0;
	fd = eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd == -1)
		return -1;
	*number = fd;
	return 0;
}

int
spawn_prepare_slot(struct master *m, unsigned k)
{
	struct service_state *o = m->service;
	int wake, watch;

	if (spawn_number(&o->slot[k].pidfd, 0) == -1)
		return -1;
	/* 0 is standard input and stands for "none yet". */
	if (o->slot[k].wake_fd != 0)
		return 0;
	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	watch = epoll_create1(EPOLL_CLOEXEC);
	if (wake == -1 || watch == -1) {
		int saved = errno;

		if (wake != -1)
			close(wake);
		if (watch != -1)
			close(watch);
		errno = saved;
		return -1;
	}
	o->slot[k].wake_fd = wake;
	o->slot[k].watch_fd = watch;
	return 0;
}

/*
 * Workers watch the seats to notice the end of master and standby.  Where there
 * are no pidfds, seats have none, there is no standby, and workers look at
 * their parent.
 */
static int
spawn_prepare_seats(struct service_state *o)
{
	unsigned seat = service_master_seat(o);
	int own;

	if (o->seat[0].pidfd != 0)
		return 0;
	own = pidfd_make(getpid());
	if (own == 0)
		return 0;
	if (spawn_number(&o->seat[1 - seat].pidfd, 1) == -1 ||
	    spawn_number(&o->former_pidfd, 1) == -1 ||
	    spawn_number(&o->nobody_fd, 1) == -1 ||
	    spawn_number(&o->coming_fd, 0) == -1)
		return -1;
	o->seat[seat].pidfd = own;
	o->seat[seat].pid = (int32_t)getpid();
	o->pid = (int32_t)getpid();
	return 0;
}

int
spawn_prepare(struct master *m)
{
	struct service_state *o = m->service;

	/* After an upgrade there may be one already. */
	if (o->master_wake_fd == 0)
		o->master_wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (o->master_wake_fd == -1) {
		o->master_wake_fd = 0;
		return -1;
	}
	if (spawn_prepare_seats(o) == -1)
		return -1;
	for (unsigned k = 0; k < m->config->workers; k++)
		if (spawn_prepare_slot(m, k) == -1)
			return -1;
	if (o->workers < m->config->workers)
		o->workers = m->config->workers;
	service_publish(&m->arena, m->service);
	return 0;
}

int
spawn(struct master *m, unsigned k)
{
	/* Copies: a worker has no mapping of the master's memory. */
	static struct handler_table handlers;
	static struct arena arena;
	char score[OOM_SCORE];
	struct child *c = &m->child[k];
	const struct service_state *s = m->service;
	const struct config *config = m->config;
	worker_entry *entry = m->entry;
	const struct worker_place place = {
		.slot = k,
		.master = getpid(),
		.seat = { s->seat[0].pidfd, s->seat[1].pidfd },
		.generation = atomic_load(&s->generation),
		.watch_fd = s->slot[k].watch_fd,
		.handlers = &handlers,
	};
	pid_t pid;

	handlers = m->handlers;
	arena = m->arena;
	memcpy(score, m->oom.score, sizeof(score));
	atomic_store(&m->arena.slot[k].state, SLOT_EMPTY);
	atomic_store(&m->arena.slot[k].leave, 0);
	/* The worker before may have written anything into the arena. */
	service_publish(&m->arena, m->service);
	oom_make_room(&m->oom);
	pid = clone_process(m, CLONE_FOR_SLOT + k);
	if (pid == 0) {
		oom_expose_self(score);
		_exit(entry(config, &arena, &place));
	}
	if (pid == -1) {
		log_warnx("worker %u cannot be started: %s%s", k,
		    strerror(errno), limits_why_no_process(errno));
		c->respawn_at = clock_ms() + RETRY_MS;
		if (m->stop.phase == STOP_NONE)
			atomic_store(&m->arena.slot[k].state, SLOT_UNATTENDED);
		return -1;
	}
	c->pid = pid;
	c->pidfd = pidfd_is(s->slot[k].pidfd) ? s->slot[k].pidfd : 0;
	c->foreign = false;
	c->started = clock_ms();
	c->respawn_at = CLOCK_NEVER;
	c->since = c->started;
	c->stopped = 0;
	c->hung = false;
	atomic_store(&m->arena.slot[k].pid, pid);
	return 0;
}

void
spawn_leave(struct master *m, unsigned k)
{
	atomic_store(&m->arena.slot[k].leave, 1);
	child_signal(&m->child[k], SIGTERM);
	/* A tracer can swallow the signal. */
	(void)eventfd_write(m->service->slot[k].wake_fd, 1);
}

void
spawn_due(struct master *m)
{
	uint64_t now = clock_ms();

	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid == 0 && m->child[k].respawn_at <= now &&
		    atomic_load(&m->arena.slot[k].state) == SLOT_EMPTY)
			(void)spawn(m, k);
}

uint64_t
spawn_next(const struct master *m)
{
	uint64_t next = CLOCK_NEVER;

	/* A sibling that adopts a slot wakes the master when it is done. */
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid == 0 &&
		    (atomic_load(&m->arena.slot[k].state) & 0xff) !=
			SLOT_ADOPTED)
			next = clock_earlier(next, m->child[k].respawn_at);
	return next;
}
