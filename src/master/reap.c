/* SPDX-License-Identifier: ISC */
/*
 * Taking note of workers that ended; the one home of waitpid(2).
 */
#include "master/reap.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/call_name.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "lib/wait_status.h"
#include "shared/worker_exit.h"

/* A worker that lives shorter is a quick death, ms. */
#define QUICK_MS 1000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MOST_MS 5000

int
reap_one(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return status;
}

bool
reap_is_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	    0;
}

/* Deaths by which a program says that it is broken; others come from outside
 * (kill -9, the system being out of memory). */
static bool
reap_is_fault(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) != WORKER_DRAINED &&
		    WEXITSTATUS(status) != WORKER_LEFT;
	switch (WTERMSIG(status)) {
	case SIGSEGV:
	case SIGBUS:
	case SIGABRT:
	case SIGFPE:
	case SIGILL:
	case SIGSYS:
		return true;
	default:
		return false;
	}
}

/* The first respawn is at once.  Faults in quick succession, and workers that
 * die before they serve, wait longer each time, so that a worker that cannot
 * live does not busy the machine. */
static void
reap_schedule(struct child *c, bool served, bool fault)
{
	uint64_t now = clock_ms();

	c->respawn_at = now;
	c->failed_starts = served ? 0 : c->failed_starts + 1;
	if (now - c->started >= QUICK_MS || (served && !fault)) {
		c->backoff = fault ? BACKOFF_FIRST_MS : 0;
		return;
	}
	c->respawn_at += c->backoff;
	c->backoff = c->backoff == 0 ? BACKOFF_FIRST_MS : c->backoff * 2;
	if (c->backoff > BACKOFF_MOST_MS)
		c->backoff = BACKOFF_MOST_MS;
}

/* Which call it was not to make, of a worker that died in the sandbox. */
static void
reap_tell_denied(struct slot *s, unsigned k, pid_t pid, int status)
{
	uint64_t call = atomic_exchange(&s->denied, 0);

	if (call != 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_warnx("worker %u (pid %ld) made a system call that workers "
			  "never make: %s",
		    k, (long)pid,
		    call_name((uint32_t)(call >> 32), (int)(uint32_t)call));
}

/* Leave the next worker, or a sibling, word of how the last one went. */
static void
reap_note_death(struct slot *s, const struct child *c, int status)
{
	int fault = 0;

	if (atomic_load(&s->op.kind) == OP_SERVE) {
		if (c->hung)
			fault = FAULT_HUNG;
		else if (reap_is_fault(status))
			fault = WIFSIGNALED(status) ? WTERMSIG(status)
						    : SIGABRT;
	}
	/* A successor that died too must not hide what it was to settle. */
	if (fault != 0)
		atomic_store(&s->fault, fault);
	if (atomic_load(&s->died) == 0)
		atomic_store(&s->died, clock_ms());
	atomic_store(&s->pid, 0);
}

/* Connections of a slot: no more than there can be, whatever it says. */
static unsigned
reap_held_by(const struct master *m, const struct slot *s)
{
	unsigned held = atomic_load(&s->held);

	return held < m->service->descriptors ? held : m->service->descriptors;
}

/* A death that was not asked for, for the books: of its clients all go on but
 * the one it died of. */
static void
reap_count_death(const struct master *m, const struct slot *s, int status)
{
	struct service_totals *t = &m->service->totals;
	uint64_t held = reap_held_by(m, s);
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (WIFEXITED(status) &&
	    (WEXITSTATUS(status) == WORKER_LEFT ||
		WEXITSTATUS(status) == WORKER_DRAINED))
		return;
	t->deaths[signo < ARENA_SIGNALS ? signo : 0]++;
	if (atomic_load(&s->fault) != 0 && held > 0)
		held--;
	if (held > 0)
		t->recoveries++;
	t->saved += held;
}

/* What worker `k` was to take over, or was taking over, is an orphan again. */
static void
reap_release_adopted(struct master *m, unsigned k)
{
	atomic_store(&m->arena.slot[k].adopt, 0);
	for (unsigned i = 0; i < m->service->workers; i++) {
		uint32_t adopted = slot_adopted_by(k);

		atomic_compare_exchange_strong(&m->arena.slot[i].state,
		    &adopted, SLOT_UNATTENDED);
		/* Who was asked is to be asked again, or another one. */
		if (m->child[i].adopt == k + 1)
			m->child[i].adopt = 0;
	}
}

static void
reap_ended_in_stop(struct master *m, unsigned k, int status, pid_t pid,
    bool served)
{
	struct slot *s = &m->arena.slot[k];

	if (atomic_load(&s->state) == SLOT_DRAINED)
		return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != WORKER_LEFT)
		log_warnx("worker %u (pid %ld) %s while stopping, %u "
			  "connections held",
		    k, (long)pid, wait_status_words(status),
		    reap_held_by(m, s));
	/* What it held is still to be drained, if there is time. */
	atomic_store(&s->state, SLOT_EMPTY);
	if (!m->stop.over)
		m->child[k].respawn_at = clock_ms() +
		    (served ? 0 : BACKOFF_FIRST_MS);
}

static void
reap_ended(struct master *m, unsigned k, int status)
{
	struct child *c = &m->child[k];
	struct slot *s = &m->arena.slot[k];
	pid_t pid = c->pid;
	bool served = atomic_load(&s->state) != SLOT_EMPTY;
	bool oom = oom_killed(&m->oom, c, s, k, status);

	c->pid = 0;
	c->ended = false;
	pidfd_close(&c->pidfd);
	c->respawn_at = CLOCK_NEVER;
	reap_note_death(s, c, status);
	reap_tell_denied(s, k, pid, status);
	reap_count_death(m, s, status);
	reap_release_adopted(m, k);
	if (m->stop.phase == STOP_DRAINING) {
		reap_ended_in_stop(m, k, status, pid, served);
		return;
	}
	atomic_store(&s->state, SLOT_EMPTY);
	if (m->reload.phase == RELOAD_LEAVING) {
		if (!WIFEXITED(status) || WEXITSTATUS(status) != WORKER_LEFT)
			log_warnx("worker %u (pid %ld) %s, asked to leave, "
				  "%u connections held",
			    k, (long)pid, wait_status_words(status),
			    reap_held_by(m, s));
		return; /* the next image has a worker for it */
	}
	if (c->retiring) {
		log_notice("worker %u (pid %ld) retired, %u connections to "
			   "move",
		    k, (long)pid, reap_held_by(m, s));
		atomic_store(&s->state, SLOT_UNATTENDED);
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_LEFT) {
		log_notice("worker %u (pid %ld) left on request", k, (long)pid);
		c->respawn_at = clock_ms();
	} else {
		reap_schedule(c, served, reap_is_fault(status));
		log_warnx("worker %u (pid %ld) %s%s%s, %u connections held; "
			  "next one in %llu ms",
		    k, (long)pid, c->hung ? "was stuck and " : "",
		    wait_status_words(status), oom ? " for want of memory" : "",
		    reap_held_by(m, s),
		    (unsigned long long)clock_until(c->respawn_at, clock_ms()));
		if (c->respawn_at > clock_ms())
			atomic_store(&s->state, SLOT_UNATTENDED);
	}
}

/* SIGSTOP and SIGCONT, for the watchdog. */
static void
reap_stopped(struct child *c, int status)
{
	c->stopped = WIFSTOPPED(status) ? clock_ms() : 0;
	c->since = clock_ms();
}

void
reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) >
	    0) {
		if (pid == m->reload.checker.pid && !WIFSTOPPED(status) &&
		    !WIFCONTINUED(status))
			checker_ended(&m->reload.checker, status);
		if (pid == m->admin.pid) {
			m->admin.stopped = WIFSTOPPED(status);
			if (!WIFSTOPPED(status) && !WIFCONTINUED(status)) {
				m->admin.pid = 0;
				m->admin.status = status;
			}
		}
		/* Strangers are possible: PID 1 of a container gets them. */
		for (unsigned k = 0; k < m->service->workers; k++)
			if (m->child[k].pid != pid)
				continue;
			else if (WIFSTOPPED(status) || WIFCONTINUED(status))
				reap_stopped(&m->child[k], status);
			else
				reap_ended(m, k, status);
	}
	/* A tracer has its end first, or somebody has put another descriptor
	 * in its place: it would be told of without end. */
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].ended) {
			m->child[k].ended = false;
			m->child[k].pidfd = 0;
		}
}

void
reap_later(struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++) {
		siginfo_t info = { .si_pid = 0 };

		if (m->child[k].pid == 0 ||
		    waitid(P_PID, (id_t)m->child[k].pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    info.si_pid == 0)
			continue;
		/* As wait(2) would have it. */
		reap_ended(m, k,
		    info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
					       : W_EXITCODE(0, info.si_status));
	}
}
