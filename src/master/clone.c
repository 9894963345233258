/* SPDX-License-Identifier: ISC */
/*
 * Making processes that share the table of descriptors; the one home of
 * clone3(2).
 *
 * The master may die at any instruction, and its standby must know each process
 * that it has made.  So the kernel does the accounts: clone3(2) stores pid and
 * pidfd into the service state before the child runs.  The order of the stores:
 *
 *	1 scratch.pid = 0, scratch.pidfd = -1
 *	2 scratch.intent = what the process is for
 *	3 clone3(2): the kernel stores scratch.pidfd and scratch.pid
 *	4 the pid of the seat or slot
 *	5 dup3(scratch.pidfd, the number of seat or slot), close(scratch.pidfd)
 *	6 scratch.pidfd = -1
 *	7 the generation of the slot
 *	8 scratch.intent = CLONE_FOR_NOTHING
 *
 * A master that dies at 1 or 2 has made nothing; its successor does 4 to 8
 * again.  Where only the older clone(2) is permitted, a master that dies at 3
 * leaves no pid, but a pidfd: clone_identify().  If the former master has
 * closed scratch.pidfd, the number may be a client's: it counts only if it is a
 * pidfd.
 */
#include "master/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/pidfd.h"

/* A process that was killed ends in this time, ms. */
#define CLONE_END_MS 1000

/*
 * Some sandboxes refuse clone3(2) with ENOSYS, older ones with EPERM, since a
 * filter cannot see its flags: RestrictNamespaces= of systemd, and containers.
 * There the older clone(2) does the same, but the kernel stores the pidfd only:
 * both have the same place.
 */
static pid_t
clone_older(struct service_state *s)
{
	const unsigned long flags = CLONE_FILES | CLONE_PIDFD | SIGCHLD;
	int *pidfd = &s->scratch.pidfd;
	long pid;

#if defined(__s390x__) || defined(__CRIS__)
	pid = syscall(SYS_clone, NULL, flags, pidfd, NULL, NULL);
#else
	pid = syscall(SYS_clone, flags, NULL, pidfd, NULL, NULL);
#endif
	if (pid > 0) {
		s->scratch.pid = (int32_t)pid;
		/* Linux before 5.2 has ignored the flag. */
		if (*pidfd == -1 && (*pidfd = pidfd_make((pid_t)pid)) == 0)
			*pidfd = -1;
	}
	return (pid_t)pid;
}

static pid_t
clone_accounted(struct service_state *s)
{
	struct clone_args args;

	memset(&args, 0, sizeof(args));
	args.flags = CLONE_FILES | CLONE_PIDFD | CLONE_PARENT_SETTID;
	args.pidfd = (uintptr_t)&s->scratch.pidfd;
	args.parent_tid = (uintptr_t)&s->scratch.pid;
	args.exit_signal = SIGCHLD;
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* The steps from 4 on. */
static void
clone_settle(struct service_state *s, uint32_t intent)
{
	unsigned k = intent - CLONE_FOR_SLOT, seat = service_standby_seat(s);
	int number;

	if (intent == CLONE_FOR_STANDBY) {
		s->seat[seat].pid = s->scratch.pid;
		number = s->seat[seat].pidfd;
	} else {
		s->slot[k].pid = s->scratch.pid;
		number = s->slot[k].pidfd;
	}
	store_barrier();
	if (pidfd_is(s->scratch.pidfd)) {
		(void)dup3(s->scratch.pidfd, number, O_CLOEXEC);
		close(s->scratch.pidfd);
	}
	store_barrier();
	s->scratch.pidfd = -1;
	if (intent >= CLONE_FOR_SLOT)
		s->slot[k].generation = atomic_load(&s->generation);
	atomic_store(&s->scratch.intent, CLONE_FOR_NOTHING);
}

pid_t
clone_process(struct master *m, uint32_t intent)
{
	struct service_state *s = m->service;
	pid_t pid = -1;
	int saved;

	s->scratch.pid = 0;
	s->scratch.pidfd = -1;
	atomic_store(&s->scratch.intent, intent);
	if (!m->clone_refused) {
		pid = clone_accounted(s);
		if (pid == 0)
			return 0; /* a worker cannot read `m` */
		/* EINVAL: before Linux 5.2, which has no pidfds here. */
		m->clone_refused = pid == -1 &&
		    (errno == ENOSYS || errno == EPERM || errno == EINVAL);
	}
	if (m->clone_refused)
		pid = clone_older(s);
	if (pid == 0)
		return 0;
	saved = errno;
	if (pid > 0)
		clone_settle(s, intent);
	else
		atomic_store(&s->scratch.intent, CLONE_FOR_NOTHING);
	errno = saved;
	return pid;
}

/* A process was made whose pid is not known.  A standby is this process.  A
 * worker is ended: its slot gets another one. */
static void
clone_identify(struct master *m, uint32_t intent)
{
	struct service_state *s = m->service;
	struct pollfd p = { s->scratch.pidfd, POLLIN, 0 };

	if (intent == CLONE_FOR_STANDBY) {
		s->scratch.pid = (int32_t)getpid();
		return;
	}
	(void)pidfd_signal(s->scratch.pidfd, SIGKILL);
	(void)poll(&p, 1, CLONE_END_MS);
	close(s->scratch.pidfd);
	s->scratch.pidfd = -1;
	atomic_store(&m->arena.slot[intent - CLONE_FOR_SLOT].state, SLOT_EMPTY);
}

void
clone_finish(struct master *m)
{
	struct service_state *s = m->service;
	uint32_t intent = atomic_load(&s->scratch.intent);

	if (intent >= CLONE_FOR_SLOT + ARENA_SLOTS_MAX)
		intent = CLONE_FOR_NOTHING;
	if (intent != CLONE_FOR_NOTHING && s->scratch.pid == 0 &&
	    pidfd_is(s->scratch.pidfd))
		clone_identify(m, intent);
	if (intent != CLONE_FOR_NOTHING && s->scratch.pid != 0)
		clone_settle(s, intent);
	atomic_store(&s->scratch.intent, CLONE_FOR_NOTHING);
}
