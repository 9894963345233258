/* SPDX-License-Identifier: ISC */
/*
 * A reload, up to the exec.
 *
 * Before the exec nothing has changed: a check that fails, a program that
 * cannot be executed and a stop all leave the service as it was.  What comes
 * after the exec is in master/upgrade/resume.c.
 */
#include "master/upgrade/reload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/descriptor_close.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/wait_status.h"
#include "master/admin_link.h"
#include "master/handlers.h"
#include "master/listeners/listen.h"
#include "master/notify.h"
#include "master/spawn.h"
#include "master/upgrade/executable.h"
#include "master/upgrade/hand_over.h"
#include "master/upgrade/record.h"

/* A check that takes longer is stuck, ms. */
#define RELOAD_CHECK_PATIENCE 10000
/* Workers that have not left by then are killed; their connections go on like
 * those of the others, ms. */
#define RELOAD_LEAVE_PATIENCE 500

static void
reload_tell_begun(struct master *m)
{
	char state[128];
	struct timespec ts;

	/* sd_notify(3), RELOADING=1: the time must be CLOCK_MONOTONIC's. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(state, sizeof(state),
	    "RELOADING=1\nMONOTONIC_USEC=%llu\n"
	    "STATUS=Reloading",
	    (unsigned long long)ts.tv_sec * 1000000 +
		(unsigned long long)ts.tv_nsec / 1000);
	notify_tell(&m->notify, state);
}

/* Tell those that asked, and forget them. */
static void
reload_tell_outcome(const struct master *m, struct outcome *o, bool done,
    const char *text)
{
	char answer[MESSAGE_TEXT];

	snprintf(answer, sizeof(answer), "%s%.900s",
	    done		 ? "reloaded"
		: text[0] == 'r' ? "the reload was "
				 : "the reload ",
	    text);
	admin_link_tell_outcome(m, o, done, answer);
	outcome_tell(o, done, text);
}

void
reload_tell(struct master *m, const char *failed)
{
	const char *reason = m->service->totals.refusal;
	char text[sizeof(m->service->totals.refusal) + 64] = "";

	if (failed != NULL)
		snprintf(text, sizeof(text), "; the last reload %s%s: %s",
		    failed[0] == 'r' ? "was " : "", failed, reason);
	notify_ready(&m->notify, m->config, listen_names(m->service), text);
	if (failed != NULL)
		snprintf(text, sizeof(text), "%s: %s", failed, reason);
	reload_tell_outcome(m, &m->reload.asked, failed == NULL, text);
}

/* Back to RELOAD_NONE, with nothing left of the reload. */
static void
reload_end(struct master *m)
{
	struct reload *r = &m->reload;

	checker_end(&r->checker, &m->arena, m->service);
	descriptor_close_file(r->executable);
	r->executable = -1;
	r->number = 0;
	r->phase = RELOAD_NONE;
}

/* The service goes on as it was. */
static void
reload_refuse(struct master *m, const char *reason)
{
	reload_end(m);
	service_refuse(m->service, reason);
	log_warnx("reload refused: %.800s; nothing has changed", reason);
	reload_tell(m, "refused");
}

static void
reload_refuse_errno(struct master *m, const char *what)
{
	char reason[2 * PATH_MAX + 1024];

	snprintf(reason, sizeof(reason), "%s: %s%s", what, strerror(errno),
	    errno == EFBIG ? limits_why_no_room(errno, 1 << 16)
			   : limits_why_no_process(errno));
	reload_refuse(m, reason);
}

/* `source` asks for it; NULL: it was asked for before. */
static void
reload_begin(struct master *m, const char *source)
{
	struct reload *r = &m->reload;
	const char *failed;
	int record, image;

	r->executable = -1;
	r->checker = (struct checker)CHECKER_NONE;
	r->asked = r->later;
	r->later.askers = 0;
	r->resolved.count = 0;
	r->deadline = clock_ms() + RELOAD_CHECK_PATIENCE;
	/* From now on a successor of this master refuses it, and says so. */
	r->phase = RELOAD_CHECKING;
	r->again = false;
	log_notice("%s%s", source != NULL ? source : "reloading again",
	    source != NULL ? ": reloading" : "");
	reload_tell_begun(m);
	r->executable = executable_open();
	if (r->executable == -1) {
		reload_refuse_errno(m,
		    executable_path()[0] != '\0'
			? executable_path()
			: "its path, which /proc/self/exe would have told");
		return;
	}
	r->checker.image = image = image_memfd();
	m->service->handlers_used = handlers_used(&m->arena);
	record = image == -1 || service_keep(m->service, &m->service_fd) == -1
	    ? -1
	    : hand_over_write(m);
	if (record == -1) {
		reload_refuse_errno(m, "memory for the check");
		return;
	}
	failed = checker_begin(&r->checker, r->executable, record, image,
	    m->service_fd, &m->arena, m->service);
	if (failed != NULL) {
		reload_refuse_errno(m, failed);
		return;
	}
	r->deadline = clock_ms() + RELOAD_CHECK_PATIENCE;
}

/* True if a reload cannot begin now, but later. */
static bool
reload_is_busy(const struct master *m)
{
	return m->reload.phase != RELOAD_NONE || m->service->dropped > 0 ||
	    service_has_foreign(m->service);
}

void
reload_request(struct master *m, const char *source)
{
	if (m->stop.phase != STOP_NONE) {
		log_notice("%s: no reload while stopping", source);
		return;
	}
	if (reload_is_busy(m)) {
		m->reload.again = true;
		return;
	}
	reload_begin(m, source);
}

bool
reload_request_by(struct master *m, const char *source, int asker)
{
	struct outcome one = { 1, { asker } };
	bool stopping = m->stop.phase != STOP_NONE;
	bool told = !stopping && outcome_add(&m->reload.later, asker);

	/* The administration process has its answer from the caller. */
	if (!told && asker > 0)
		reload_tell_outcome(m, &one, false,
		    stopping ? "refused: the service is stopping"
			     : "refused: too many wait for the next reload");
	reload_request(m, source);
	return told;
}

static void
reload_workers_leave(struct master *m)
{
	struct reload *r = &m->reload;

	r->phase = RELOAD_LEAVING;
	r->began = clock_ms();
	r->deadline = r->began + RELOAD_LEAVE_PATIENCE;
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0)
			spawn_leave(m, k);
}

/* The check has ended: go on, or refuse. */
static void
reload_checked(struct master *m)
{
	static struct upgrade_record t;
	struct reload *r = &m->reload;
	int status = r->checker.status;
	char line[1024], reason[PATH_MAX + 1200];

	checker_said(&r->checker, line, sizeof(line));
	if (status == 0 &&
	    record_read(&t, r->checker.record, line, sizeof(line)) == 0 &&
	    t.checked[0] != '\0') {
		r->resolved = t.resolved;
		reload_workers_leave(m);
		return;
	}
	if (status == 0)
		snprintf(reason, sizeof(reason),
		    "%s cannot take over from echod " PACKAGE_VERSION,
		    executable_path());
	else if (WIFEXITED(status) && line[0] != '\0')
		strlcpy(reason, line, sizeof(reason));
	else
		snprintf(reason, sizeof(reason), "%s -t %s", executable_path(),
		    wait_status_words(status));
	reload_refuse(m, reason);
}

static void
reload_check_is_stuck(struct master *m)
{
	char line[512], reason[sizeof(line) + 32];

	checker_said(&m->reload.checker, line, sizeof(line));
	snprintf(reason, sizeof(reason), "the check takes too long%s%s",
	    line[0] != '\0' ? ": " : "", line);
	reload_refuse(m, reason);
}

static bool
reload_all_left(const struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0)
			return false;
	return true;
}

/* No program takes over from the workers that have left: replace them. */
static void
reload_come_back(struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0)
			continue;
		else if (!m->child[k].retiring)
			m->child[k].respawn_at = clock_ms();
		else /* the others adopt its connections, as in reap.c */
			atomic_store(&m->arena.slot[k].state, SLOT_UNATTENDED);
}

static void
reload_hand_over(struct master *m)
{
	int saved;

	hand_over(m);
	saved = errno;
	reload_come_back(m);
	errno = saved;
	reload_refuse_errno(m, executable_path());
}

static void
reload_kill_laggards(struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++) {
		struct child *c = &m->child[k];

		if (c->pid == 0 ||
		    (c->stopped == 0 && clock_ms() < m->reload.deadline))
			continue;
		log_warnx("worker %u (pid %ld) does not leave: killing it", k,
		    (long)c->pid);
		child_signal(c, SIGKILL);
		c->stopped = 0;
	}
	if (clock_ms() >= m->reload.deadline)
		m->reload.deadline = clock_ms() + RELOAD_LEAVE_PATIENCE;
}

void
reload_step(struct master *m)
{
	struct reload *r = &m->reload;

	switch (r->phase) {
	case RELOAD_NONE:
		if (r->again && m->stop.phase == STOP_NONE &&
		    !reload_is_busy(m))
			reload_begin(m, NULL);
		break;
	case RELOAD_CHECKING:
		if (r->checker.pid == 0)
			reload_checked(m);
		else if (clock_ms() >= r->deadline)
			reload_check_is_stuck(m);
		break;
	case RELOAD_LEAVING:
		if (reload_all_left(m))
			reload_hand_over(m);
		else
			reload_kill_laggards(m);
		break;
	}
}

uint64_t
reload_next(const struct master *m)
{
	const struct reload *r = &m->reload;

	if (r->phase == RELOAD_NONE)
		/* A reload that ended in the step that began it. */
		return r->again && !reload_is_busy(m) ? 0 : CLOCK_NEVER;
	/* reload_checked() may find no worker that has to leave. */
	return r->phase == RELOAD_LEAVING && reload_all_left(m) ? 0
								: r->deadline;
}

void
reload_abandon(struct master *m)
{
	static const char reason[] = "abandoned: the service is stopping";
	struct reload *r = &m->reload;
	enum reload_phase phase = r->phase;

	r->again = false;
	reload_tell_outcome(m, &r->asked, false, reason);
	reload_tell_outcome(m, &r->later, false, reason);
	if (phase == RELOAD_NONE)
		return;
	if (phase == RELOAD_LEAVING)
		reload_come_back(m);
	reload_end(m);
	log_notice("the reload is abandoned");
}

void
reload_drop(struct master *m)
{
	static const char *const reasons[] = {
		[RELOAD_CHECKING] = "the master has died meanwhile",
		[RELOAD_LEAVING] =
		    "the next program has died before its workers served",
	};
	enum reload_phase phase = m->reload.phase;

	if (phase == RELOAD_NONE)
		return;
	if (phase == RELOAD_LEAVING) {
		(void)hand_over_keep_all(m, -1, false);
		reload_come_back(m);
	}
	reload_refuse(m, reasons[phase]);
}
