/* SPDX-License-Identifier: ISC */
/*
 * The standby: made, watched and ended.
 */
#include "standby/standby.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/exit_status.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "lib/signals.h"
#include "lib/title.h"
#include "lib/wait_status.h"
#include "master/clone.h"
#include "master/reap.h"
#include "standby/promote.h"
#include "standby/replace.h"

/* A death in a shorter time after the start is a quick one, ms. */
#define STANDBY_QUICK_MS 1000
#define STANDBY_BACKOFF_FIRST_MS 100
#define STANDBY_BACKOFF_MOST_MS 5000
/* Between two looks at a master whose pidfd says that it has ended, ms. */
#define STANDBY_DOUBT_MS 10

static bool
standby_is_wanted(struct master *m)
{
	const char *why = NULL;

	if (!m->config->standby || m->standby.over)
		return false;
	if (getpid() == 1)
		why = "the container ends with its process 1";
	else if (m->service->seat[0].pidfd == 0)
		why = "the kernel has no pidfds";
	if (why != NULL && !m->standby.told)
		log_notice("no standby: %s", why);
	m->standby.told = why != NULL;
	return why == NULL;
}

/* What was sent to the process group in all that time is not for the master
 * that this process becomes. */
static void
standby_discard_signals(void)
{
	static const struct timespec now = { 0, 0 };
	sigset_t all;

	sigfillset(&all);
	while (sigtimedwait(&all, NULL, &now) != -1 || errno == EINTR)
		;
}

/* In the standby: sleep as long as process `master` is there.  The pidfd is in
 * the table that workers share.  So it only ends the sleep; the kernel tells
 * which process is the parent. */
static void
standby_sleep(struct master *m, pid_t master)
{
	static const struct timespec doubt = { .tv_nsec = STANDBY_DOUBT_MS *
		    1000000L };
	struct pollfd p = {
		m->service->seat[service_master_seat(m->service)].pidfd, POLLIN,
		0
	};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	service_let_inherit(m->service, false);
	master_let_inherit(m, false);
	title_set("standby");
	for (;;) {
		int n = poll(&p, 1, -1);

		if (getppid() != master)
			return;
		if (n != 0)
			(void)nanosleep(&doubt, NULL);
	}
}

/* The other side may be deciding at the same time.  Returns false if it has
 * won. */
static bool
standby_decide(const struct master *m, uint64_t number, enum handover side)
{
	_Atomic uint64_t *handover = &m->arena.header->handover;
	uint64_t seen = number << 2 | HANDOVER_UNDECIDED;

	return atomic_compare_exchange_strong(handover, &seen,
		   number << 2 | side) ||
	    seen == (number << 2 | side);
}

void
standby_inherit(struct master *m, pid_t pid, uint64_t number)
{
	if (pid <= 0 || !reap_is_child(pid))
		return;
	m->standby.before_pidfd = pidfd_make(pid);
	m->standby.handover = number;
	m->standby.before = pid;
}

/* Its parent is the master, which may be gone by now. */
void
standby_end_before(struct master *m)
{
	struct standby *s = &m->standby;
	struct pollfd p = { s->before_pidfd, POLLIN, 0 };

	if (s->before == 0)
		return;
	/* A standby that has won has no use for this process. */
	if (!standby_decide(m, s->handover, HANDOVER_NEW))
		_exit(EXIT_NOT_STARTED);
	if (pidfd_is(s->before_pidfd)) {
		(void)pidfd_signal(s->before_pidfd, SIGKILL);
		while (poll(&p, 1, -1) != 1)
			;
	} else
		(void)kill(s->before, SIGKILL);
	if (reap_is_child(s->before))
		(void)reap_one(s->before);
	s->before = 0;
	if (pidfd_is(s->before_pidfd))
		close(s->before_pidfd);
	s->before_pidfd = 0;
}

/* The next program has been executed, and has died.  If it has decided to go
 * on, its own standby does. */
static void
standby_go_on_with_old(const struct master *m)
{
	if (m->reload.phase == RELOAD_LEAVING && m->reload.number != 0 &&
	    !standby_decide(m, m->reload.number, HANDOVER_OLD))
		_exit(EXIT_CLEAN);
}

/*
 * The master is gone.  The order of the stores:
 *
 *	1 what the master has begun to make is finished (clone.c): this process
 *	  itself may be that
 *	2 the pidfd of the master stays at former_pidfd
 *	3 generation + 1: from now on this process is the master
 *
 * The next standby comes at once after that.  A master that dies before 3 has
 * changed nothing.  One that dies after 3 leaves the rest to its standby, which
 * does all of promote() again.
 */
static void
standby_become_master(struct master *m)
{
	struct service_state *s = m->service;
	unsigned seat = service_standby_seat(s);

	standby_go_on_with_old(m);
	standby_end_before(m);
	standby_discard_signals();
	signals_block();
	clone_finish(m);
	(void)dup3(s->seat[1 - seat].pidfd, s->former_pidfd, O_CLOEXEC);
	s->seat[seat].pid = (int32_t)getpid();
	store_barrier();
	atomic_fetch_add(&s->generation, 1);
	store_barrier();
	s->seat[1 - seat].pid = 0;
	atomic_store(&m->arena.header->generation, atomic_load(&s->generation));
	m->standby.ended = 0;
}

/* Set what stands in the seat of the standby. */
static void
standby_mark_seat(const struct service_state *s, int fd)
{
	(void)dup3(fd, s->seat[service_standby_seat(s)].pidfd, O_CLOEXEC);
}

/*
 * Returns true in the standby, when the master is gone.
 *
 * If the master dies before the pidfd is in the seat, workers must not take the
 * standby for dead, too: the seat says that somebody may come.  If nobody does,
 * they lose patience (worker/leave.c).
 */
static bool
standby_clone(struct master *m)
{
	static struct log_rate_limit rate;
	pid_t pid, master = getpid();
	unsigned missed;

	if (!standby_is_wanted(m))
		return false;
	m->standby.started = clock_ms();
	service_let_inherit(m->service, true);
	master_let_inherit(m, true);
	standby_mark_seat(m->service, m->service->coming_fd);
	pid = clone_process(m, CLONE_FOR_STANDBY);
	if (pid == 0) {
		standby_sleep(m, master);
		return true;
	}
	service_let_inherit(m->service, false);
	master_let_inherit(m, false);
	if (pid == -1)
		standby_mark_seat(m->service, m->service->nobody_fd);
	if (pid == -1 && standby_is_wanted(m)) {
		m->standby.start_at = clock_ms() + STANDBY_QUICK_MS;
		if (log_rate_limit(&rate, &missed))
			log_warn("the standby cannot be started%s",
			    limits_why_no_process(errno));
	}
	return false;
}

bool
standby_make(struct master *m)
{
	bool promoted = false;

	while (standby_clone(m)) {
		standby_become_master(m);
		promoted = true;
	}
	if (promoted)
		promote(m);
	return promoted;
}

static pid_t
standby_pid(const struct master *m)
{
	return m->service->seat[service_standby_seat(m->service)].pid;
}

/* reap() has seen its end. */
static void
standby_ended(struct master *m)
{
	struct standby *s = &m->standby;
	uint64_t now = clock_ms();

	if (now - s->started >= STANDBY_QUICK_MS)
		s->backoff = 0;
	s->start_at = now + s->backoff;
	log_warnx("the standby (pid %ld) %s; next one in %u ms", (long)s->ended,
	    wait_status_words(s->status), s->backoff);
	s->backoff = s->backoff == 0 ? STANDBY_BACKOFF_FIRST_MS
				     : s->backoff * 2;
	if (s->backoff > STANDBY_BACKOFF_MOST_MS)
		s->backoff = STANDBY_BACKOFF_MOST_MS;
	s->ended = 0;
}

bool
standby_step(struct master *m)
{
	if (m->standby.ended != 0)
		standby_ended(m);
	promote_log(m);
	replace_step(m);
	return standby_pid(m) == 0 && clock_ms() >= m->standby.start_at &&
	    standby_make(m);
}

uint64_t
standby_next(const struct master *m)
{
	uint64_t next = replace_next(m);

	if (m->config->standby && !m->standby.over && !m->standby.told &&
	    standby_pid(m) == 0)
		next = clock_earlier(next, m->standby.start_at);
	/* It may be told a moment before. */
	if (m->standby.former != 0)
		next = clock_earlier(next, clock_ms() + 1);
	return next;
}

void
standby_end(struct master *m)
{
	pid_t pid = standby_pid(m);

	m->standby.over = true;
	if (pid == 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)reap_one(pid);
	m->service->seat[service_standby_seat(m->service)].pid = 0;
}
