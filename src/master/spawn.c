/* SPDX-License-Identifier: ISC */
/*
 * Starting worker processes; the one home of clone3(2).
 */
#include "master/spawn.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "master/oom.h"

/* The time after which a start that failed is tried again, ms. */
#define RETRY_MS 1000

int
spawn_prepare_slot(struct master *m, unsigned k)
{
	struct service_state *o = m->service;
	int wake, watch;

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
	/* Workers watch it to notice the master's end.  Without it they poll.
	 */
	if (o->master_pidfd == 0)
		o->master_pidfd = pidfd_make(getpid());
	for (unsigned k = 0; k < m->config->workers; k++)
		if (spawn_prepare_slot(m, k) == -1)
			return -1;
	if (o->workers < m->config->workers)
		o->workers = m->config->workers;
	service_publish(&m->arena, m->service);
	return 0;
}

/*
 * fork(2), but parent and child share one descriptor table: if the child dies,
 * nothing is closed.  Some sandboxes refuse clone3(2) with ENOSYS, older ones
 * with EPERM; there the older clone(2) does the same.
 */
static pid_t
spawn_fork_sharing_descriptors(void)
{
	struct clone_args args;
	long pid;

	memset(&args, 0, sizeof(args));
	args.flags = CLONE_FILES;
	args.exit_signal = SIGCHLD;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == -1 && (errno == ENOSYS || errno == EPERM))
#if defined(__s390x__) || defined(__CRIS__)
		pid = syscall(SYS_clone, NULL, CLONE_FILES | SIGCHLD, NULL,
		    NULL, NULL);
#else
		pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL,
		    NULL, NULL);
#endif
	return (pid_t)pid;
}

int
spawn(struct master *m, unsigned k)
{
	struct child *c = &m->child[k];
	const struct worker_place place = {
		.slot = k,
		.master = getpid(),
		.master_pidfd = m->service->master_pidfd,
		.watch_fd = m->service->slot[k].watch_fd,
		.handlers = &m->handlers,
	};
	pid_t pid;

	atomic_store(&m->arena.slot[k].state, SLOT_EMPTY);
	atomic_store(&m->arena.slot[k].leave, 0);
	/* The worker before may have written anything into the arena. */
	service_publish(&m->arena, m->service);
	oom_make_room(&m->oom);
	pid = spawn_fork_sharing_descriptors();
	if (pid == 0) {
		oom_expose_self(&m->oom);
		_exit(m->entry(m->config, &m->arena, &place));
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
	c->pidfd = pidfd_make(pid);
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
	(void)kill(m->child[k].pid, SIGTERM);
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
