/* SPDX-License-Identifier: ISC */
/*
 * Reload.
 *
 * Until the exec nothing has changed: a check that fails, an image that cannot
 * be executed and a stop all end in the service as it was.  What comes after
 * the exec is in master/upgrade/resume.c.
 */
#include "master/upgrade/reload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/pidfd.h"
#include "lib/signals.h"
#include "master/admin_link.h"
#include "master/listeners/drop.h"
#include "master/listeners/listen.h"
#include "master/reap.h"
#include "master/spawn.h"
#include "master/upgrade/executable.h"
#include "master/upgrade/record.h"

/* A check that takes longer is stuck, ms. */
#define CHECK_PATIENCE 10000
/* Workers that have not left by then are killed; their connections go on as
 * all others do, ms. */
#define LEAVE_PATIENCE 500

static void
reload_close_all(const struct master *m, struct reload *r)
{
	atomic_store(&m->arena.header->copied, 0);
	listen_share(m->service, false);
	if (r->executable != -1)
		close(r->executable);
	if (r->record != -1)
		close(r->record);
	if (r->output != -1)
		close(r->output);
	r->executable = r->record = r->output = -1;
}

static void
reload_kill_checker(struct reload *r)
{
	if (r->checker == 0)
		return;
	(void)kill(r->checker, SIGKILL);
	r->checker = 0;
	reap_forget(&r->checker_fd);
}

/* It does not come to pass; the service goes on as it was. */
static void
reload_refuse(struct master *m, const char *reason)
{
	struct reload *r = &m->reload;

	reload_close_all(m, r);
	r->phase = RELOAD_NONE;
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

static void
reload_write_listener(struct upgrade_record *t, const struct listener *l)
{
	const char *port = strrchr(l->name, ':');

	if (t->listeners < ARENA_LISTENERS_MAX)
		strlcpy(t->listener[t->listeners++], l->name,
		    sizeof(t->listener[0]));
	/* One that stands for two. */
	if ((l->flags & LISTENER_DUAL) != 0 && port != NULL &&
	    t->listeners < ARENA_LISTENERS_MAX)
		snprintf(t->listener[t->listeners++], sizeof(t->listener[0]),
		    "0.0.0.0%s", port);
}

/* What the next image must know; as much of it as is known now. */
static int
reload_write_record(const struct master *m)
{
	static struct upgrade_record t;

	memset(&t, 0, sizeof(t));
	strlcpy(t.version, PACKAGE_VERSION, sizeof(t.version));
	strlcpy(t.layout, arena_layout(), sizeof(t.layout));
	strlcpy(t.program, executable_path(), sizeof(t.program));
	strlcpy(t.directory, executable_directory(), sizeof(t.directory));
	t.pid = getpid();
	t.arena = m->arena.fd;
	t.service = m->service_fd;
	t.executable = m->executable;
	t.pidfile = m->pidfile->fd;
	t.log = log_descriptor();
	t.control = m->admin_sockets.control;
	t.metrics = m->admin_sockets.metrics;
	t.admin = m->admin.pid;
	t.admin_socket = m->admin.socket;
	t.began = m->reload.began;
	t.connections = arena_held(&m->arena);
	if (t.connections > m->service->descriptors)
		t.connections = m->service->descriptors;
	t.again = m->reload.again;
	t.resolved = m->reload.resolved;
	t.asked = m->reload.asked;
	t.later = m->reload.later;
	t.config = *m->config;
	for (unsigned i = 0; i < m->service->listeners; i++)
		reload_write_listener(&t, &m->service->listener[i]);
	return record_write(&t);
}

static void
reload_begin(struct master *m)
{
	struct reload *r = &m->reload;

	r->again = false;
	for (unsigned i = 0; i < r->later.askers; i++)
		(void)outcome_add(&r->asked, r->later.asker[i]);
	r->later.askers = 0;
	r->executable = r->record = r->output = -1;
	reload_tell_begun();
	r->resolved.count = 0;
	r->executable = executable_open();
	if (r->executable == -1) {
		reload_refuse_errno(m,
		    executable_path()[0] != '\0'
			? executable_path()
			: "its path, which /proc/self/exe would have told");
		return;
	}
	r->record = reload_write_record(m);
	r->output = memfd_create("echod-check", MFD_CLOEXEC);
	if (r->record == -1 || r->output == -1) {
		reload_refuse_errno(m, "memory for the check");
		return;
	}
	atomic_store(&m->arena.header->copied, 1);
	listen_share(m->service, true);
	r->checker = executable_check(r->executable, r->record, r->output);
	if (r->checker == -1) {
		r->checker = 0;
		reload_refuse_errno(m, executable_path());
		return;
	}
	r->checker_fd = pidfd_make(r->checker);
	r->phase = RELOAD_CHECKING;
	r->deadline = clock_ms() + CHECK_PATIENCE;
}

void
reload_request(struct master *m, const char *who)
{
	if (m->stop.phase != STOP_NONE) {
		log_notice("%s: no reload while stopping", who);
		return;
	}
	if (m->reload.phase != RELOAD_NONE || m->service->dropped > 0) {
		m->reload.again = true;
		return;
	}
	log_notice("%s: reloading", who);
	reload_begin(m);
}

static void
reload_workers_leave(struct master *m)
{
	struct reload *r = &m->reload;

	r->phase = RELOAD_LEAVING;
	r->began = clock_ms();
	r->deadline = r->began + LEAVE_PATIENCE;
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0)
			spawn_leave(m, k);
}

bool
reload_request_by(struct master *m, const char *who, int asker)
{
	struct outcome one = { 1, { asker } };
	bool stopping = m->stop.phase != STOP_NONE;
	bool told = !stopping && outcome_add(&m->reload.later, asker);

	if (!told)
		outcome_tell(&one, false,
		    stopping ? "refused: the service is stopping"
			     : "too many wait for the outcome of a reload; "
			       "the log has it");
	reload_request(m, who);
	return told;
}

/* The check has ended: is there an image to go on with? */
static void
reload_judge(struct master *m)
{
	static struct upgrade_record t;
	struct reload *r = &m->reload;
	char line[1024], reason[PATH_MAX + 1200];

	executable_check_said(r->output, line, sizeof(line));
	if (r->status == 0 &&
	    record_read(&t, r->record, line, sizeof(line)) == 0 &&
	    t.checked[0] != '\0') {
		r->resolved = t.resolved;
		reload_workers_leave(m);
		return;
	}
	if (r->status == 0)
		snprintf(reason, sizeof(reason),
		    "%s cannot take over from "
		    "echod " PACKAGE_VERSION,
		    executable_path());
	else if (WIFEXITED(r->status) && line[0] != '\0')
		strlcpy(reason, line, sizeof(reason));
	else
		snprintf(reason, sizeof(reason), "%s -t %s", executable_path(),
		    reap_words(r->status));
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

/* Nobody takes over from those who have left: they are replaced. */
static void
reload_come_back(struct master *m)
{
	for (unsigned k = 0; k < m->service->workers; k++)
		if (m->child[k].pid != 0)
			continue;
		else if (!m->child[k].retiring)
			m->child[k].respawn_at = clock_ms();
		else /* what it held is for the others, as in ended() */
			atomic_store(&m->arena.slot[k].state, SLOT_UNATTENDED);
}

/* Let what the next image needs survive the exec, or not. */
static int
reload_keep(const struct master *m, bool yes)
{
	return record_keep(&m->arena, m->service, yes) |
	    record_keep_one(m->service_fd, yes) |
	    record_keep_one(m->reload.record, yes) |
	    record_keep_one(m->executable, yes) |
	    record_keep_one(m->pidfile->fd, yes) |
	    record_keep_one(log_descriptor(), yes) |
	    admin_sockets_keep(&m->admin_sockets, yes) |
	    admin_link_keep(m, yes);
}

static void
reload_hand_over(struct master *m)
{
	struct reload *r = &m->reload;
	int saved;

	/* It has happened: what would be reported of it has no reader. */
	for (unsigned k = 0; k < m->arena.slots; k++)
		atomic_store(&m->arena.slot[k].died, 0);
	close(r->record);
	r->record = service_keep(m->service, &m->service_fd) == -1
	    ? -1
	    : reload_write_record(m);
	service_publish(&m->arena, m->service); /* which nobody else can spoil now */
	/* One that did not survive would be missed when it is too late. */
	if (r->record != -1 && arena_has_memfd(&m->arena, m->service) &&
	    reload_keep(m, true) == 0)
		executable_exec(r->executable, r->record);
	saved = errno;
	(void)reload_keep(m, false);
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
		(void)kill(c->pid, SIGKILL);
		c->stopped = 0;
	}
	if (clock_ms() >= m->reload.deadline)
		m->reload.deadline = clock_ms() + LEAVE_PATIENCE;
}

void
reload_step(struct master *m)
{
	struct reload *r = &m->reload;
	char line[512], reason[sizeof(line) + 32];

	drop_step(m);
	switch (r->phase) {
	case RELOAD_NONE:
		if (r->again && m->stop.phase == STOP_NONE &&
		    m->service->dropped == 0) {
			log_notice("reloading again");
			reload_begin(m);
		}
		break;
	case RELOAD_CHECKING:
		if (r->checker == 0)
			reload_judge(m);
		else if (clock_ms() >= r->deadline) {
			reload_kill_checker(r);
			executable_check_said(r->output, line, sizeof(line));
			snprintf(reason, sizeof(reason),
			    "the check takes too "
			    "long%s%s",
			    line[0] != '\0' ? ": " : "", line);
			reload_refuse(m, reason);
		}
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
	uint64_t next = m->reload.phase == RELOAD_NONE ? CLOCK_NEVER
						       : m->reload.deadline;

	/* reload_begin() may have ended at once, with another one waiting; reload_judge()
	 * may have found that nobody is left to leave. */
	if ((m->reload.phase == RELOAD_NONE && m->reload.again &&
		m->service->dropped == 0) ||
	    (m->reload.phase == RELOAD_LEAVING && reload_all_left(m)))
		return 0;
	return clock_earlier(next, drop_next(m));
}

void
reload_abandon(struct master *m)
{
	static const char reason[] = "abandoned: the service is stopping";
	struct reload *r = &m->reload;

	r->again = false;
	reload_tell_outcome(m, &r->asked, false, reason);
	reload_tell_outcome(m, &r->later, false, reason);
	if (r->phase == RELOAD_NONE)
		return;
	reload_kill_checker(r);
	if (r->phase == RELOAD_LEAVING)
		reload_come_back(m);
	reload_close_all(m, r);
	r->phase = RELOAD_NONE;
	log_notice("the reload is abandoned");
}
