/* SPDX-License-Identifier: ISC */
/*
 * Workers that have ended; the one home of waitpid(2).
 */
#include "master/reap.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/call_name.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "lib/wait_status.h"
#include "shared/worker_exit.h"

/* A death in a shorter time after the start is a quick one, ms. */
#define QUICK_MS 1000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MOST_MS 5000
/* Deaths that clients cause: one in this time, and so many ms of it at once. */
#define BLAMED_MS 20
#define BLAMED_BURST_MS 2000
/* How often, once a millisecond, the kernel is asked how a worker ended. */
#define FOREIGN_LOOKS 3

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

/* True for a death that tells of a broken program.  Other deaths come from
 * outside (kill -9, the system is out of memory). */
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
	case SIGXCPU: /* worker/step_limit.c */
		return true;
	default:
		return false;
	}
}

/*
 * A client has caused the death, and is closed for it.  So a respawn is no
 * repetition, and the worker's other clients must not wait for it; but clients
 * must not keep the processor busy with nothing but starts of workers either.
 * Until the next one is due, siblings adopt the slot.
 */
static void
reap_schedule_blamed(struct child *c)
{
	uint64_t now = clock_ms();

	if (c->blamed < now)
		c->blamed = now;
	c->respawn_at = c->blamed > now + BLAMED_BURST_MS
	    ? c->blamed - BLAMED_BURST_MS
	    : now;
	c->blamed += BLAMED_MS;
}

/* The first respawn comes at once.  After quick faults, and after deaths before
 * serving, each further one waits longer, so that a worker that cannot live
 * does not use up the processor. */
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

/* If the worker died in the sandbox, log which call it made. */
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

/* Tell the next worker of the slot, or a sibling that adopts it, how the last
 * one died.  Returns true if it died of a client. */
static bool
reap_note_death(struct slot *s, const struct child *c, int status)
{
	int fault = 0;

	if (atomic_load(&s->op.kind) == OP_SERVE) {
		if (c->hung ||
		    (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
			fault = FAULT_HUNG;
		else if (reap_is_fault(status))
			fault = WIFSIGNALED(status) ? WTERMSIG(status)
						    : SIGABRT;
	}
	/* If the successor dies too, the first death still counts. */
	if (fault != 0)
		atomic_store(&s->fault, fault);
	if (atomic_load(&s->died) == 0)
		atomic_store(&s->died, clock_ms());
	atomic_store(&s->pid, 0);
	return fault != 0;
}

/* The connections of a slot.  The arena is not believed: there are no more than
 * descriptors. */
static unsigned
reap_held_by(const struct master *m, const struct slot *s)
{
	unsigned held = slot_held(s);

	return held < m->service->descriptors ? held : m->service->descriptors;
}

/* Count a death that was not asked for.  All clients of the worker outlive it,
 * except for the one that it died of. */
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

/* The slots that worker `k` was to adopt, or was adopting, are unattended
 * again. */
static void
reap_release_adopted(struct master *m, unsigned k)
{
	atomic_store(&m->arena.slot[k].adopt, 0);
	for (unsigned i = 0; i < m->service->workers; i++) {
		uint32_t adopted = slot_adopted_by(k);

		atomic_compare_exchange_strong(&m->arena.slot[i].state,
		    &adopted, SLOT_UNATTENDED);
		/* Scaling asks another worker, or this one again. */
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
	/* Its connections still have to be drained, if there is time. */
	atomic_store(&s->state, SLOT_EMPTY);
	if (!m->stop.over)
		m->child[k].respawn_at = clock_ms() +
		    (served ? 0 : BACKOFF_FIRST_MS);
}

static void
reap_settle(struct master *m, unsigned k, int status)
{
	struct child *c = &m->child[k];
	struct slot *s = &m->arena.slot[k];
	pid_t pid = c->pid;
	bool served = atomic_load(&s->state) != SLOT_EMPTY;
	bool blamed, oom = oom_killed(&m->oom, c, s, k, status);

	c->pid = 0;
	c->ended = c->foreign = false;
	c->pidfd = 0;
	c->respawn_at = CLOCK_NEVER;
	blamed = reap_note_death(s, c, status);
	reap_tell_denied(s, k, pid, status);
	reap_count_death(m, s, status);
	reap_release_adopted(m, k);
	if (!served)
		m->handlers_lost = true;
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
		return; /* the next program starts a worker */
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
		if (blamed)
			reap_schedule_blamed(c);
		else
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

/* The slot has its worker until all of this is done: a standby that takes the
 * master's place in between does it again. */
static void
reap_ended(struct master *m, unsigned k, int status)
{
	reap_settle(m, k, status);
	store_barrier();
	m->service->slot[k].pid = 0;
}

/* How the worker of a former master ended, as wait(2) tells; -1: nobody tells.
 * The kernel tells as soon as its next parent has reaped it. */
static int
reap_foreign_status(const struct master *m, unsigned k)
{
	static const struct timespec ms = { .tv_nsec = 1000000L };
	int status;

	for (int i = 0; i < FOREIGN_LOOKS; i++) {
		if (pidfd_status(m->child[k].pidfd, &status))
			return status;
		if (atomic_load(&m->arena.slot[k].leave) != 0)
			return W_EXITCODE(WORKER_LEFT, 0);
		(void)nanosleep(&ms, NULL);
	}
	return -1;
}

/* Only a parent can wait. */
static void
reap_foreign(struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0 && m->child[k].foreign &&
		    child_is_gone(&m->child[k]))
			reap_ended(m, k, reap_foreign_status(m, k));
}

static void
reap_standby(struct master *m, pid_t pid, int status)
{
	unsigned seat = service_standby_seat(m->service);

	if (pid != m->service->seat[seat].pid)
		return;
	m->standby.ended = pid;
	m->standby.status = status;
	m->service->seat[seat].pid = 0;
}

/* Note SIGSTOP and SIGCONT for the watchdog. */
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
		if (!WIFSTOPPED(status) && !WIFCONTINUED(status))
			reap_standby(m, pid, status);
		/* Other children are possible: PID 1 of a container gets
		 * orphaned processes. */
		for (unsigned k = 0; k < m->service->workers; k++)
			if (m->child[k].pid != pid)
				continue;
			else if (WIFSTOPPED(status) || WIFCONTINUED(status))
				reap_stopped(&m->child[k], status);
			else
				reap_ended(m, k, status);
	}
	reap_foreign(m);
	/* A pidfd whose process was not reaped above must not be polled again:
	 * it would end every sleep.  Either a tracer gets the status first, or
	 * a process has put another descriptor in its place. */
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
		/* The form that wait(2) gives. */
		reap_ended(m, k,
		    info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
					       : W_EXITCODE(0, info.si_status));
	}
}
