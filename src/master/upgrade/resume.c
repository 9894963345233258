/* SPDX-License-Identifier: ISC */
/*
 * A reload, after the exec: this program takes the service over from the one
 * before, or gives it back.
 */
#include "master/upgrade/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <bsd/string.h>

#include "config/serialize.h"
#include "lib/exit_status.h"
#include "lib/clock.h"
#include "lib/descriptor_close.h"
#include "lib/descriptor_keep.h"
#include "lib/key_values.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "master/admin_child.h"
#include "master/handlers.h"
#include "master/listeners/listen.h"
#include "master/loop.h"
#include "master/notify.h"
#include "master/start/advice.h"
#include "master/start/descriptors.h"
#include "master/start/logging.h"
#include "master/upgrade/executable.h"
#include "master/upgrade/hand_over.h"
#include "master/upgrade/reload.h"
#include "master/workers.h"
#include "standby/standby.h"

/* Make room for the clients and workers of `c`, within the arena that there is.
 * Room can grow, it does not shrink.  Returns 0, or -1 with the reason logged.
 */
static int
resume_make_room(struct master *m, struct config *c)
{
	const struct arena *a = &m->arena;
	unsigned descriptors = descriptors_needed(c);
	unsigned long most;

	if (descriptors > a->capacity) {
		log_warnx("maxclients %u needs %u descriptors; without a "
			  "restart there can be %u",
		    c->defaults.maxclients, descriptors, a->capacity);
		return -1;
	}
	if (c->workers > a->slots) {
		log_warnx("workers %u: without a restart there can be %u",
		    c->workers, a->slots);
		return -1;
	}
	if (descriptors <= m->service->descriptors)
		return 0;
	if (descriptors_limit(descriptors, &most) == -1)
		return -1;
	m->service->descriptors = descriptors;
	service_publish(a, m->service);
	return 0;
}

/* Claim the pid file of `c`, or keep `old`.  Returns 0, or -1 with the reason
 * logged; then too, `p` may be a new file. */
static int
resume_move_pidfile(struct pidfile *p, const struct pidfile *old,
    const struct config *c)
{
	if (c->pidfile[0] == '\0')
		return 0;
	/* Another path may name the same file.  To open it a second time would
	 * release its lock at the close. */
	if (pidfile_is_at(old, c->pidfile)) {
		p->fd = old->fd;
		strlcpy(p->path, c->pidfile, sizeof(p->path));
		return 0;
	}
	if (pidfile_claim(p, c, false) == 0)
		return 0;
	if (old->fd == -1 || strcmp(c->pidfile, old->path) != 0)
		return -1;
	/* The file was removed and cannot be made again: go on without it. */
	*p = *old;
	return 0;
}

static bool
resume_rates_differ(const struct config *a, const struct config *b)
{
	if (a->services != b->services)
		return true;
	for (unsigned i = 0; i < a->services; i++)
		if (a->service[i].accept_rate != b->service[i].accept_rate ||
		    a->service[i].accept_burst != b->service[i].accept_burst)
			return true;
	return false;
}

/* Do everything up to workers that serve.  Returns 0, or -1 with the reason
 * logged; then resume_service() undoes what was done. */
static int
resume_take_over(struct master *m, struct config *c,
    const struct upgrade_record *t, struct pidfile *p,
    const struct pidfile *old)
{
	const struct admin_sockets old_admin = { t->control, t->metrics,
		CONTROL_FILE_NONE };
	const struct identity same = { (uid_t)-1, (gid_t)-1 };
	struct listen_numbers n;
	bool daemonize = c->daemonize != 0;
	bool same_file = strcmp(c->logfile, t->config.logfile) == 0;
	char why[IMAGE_WHY];

	c->daemonize = t->config.daemonize;
	/* Root has opened the log file; this process may not be allowed to. */
	if (logging_open(c, &same, same_file ? t->log : -1) == -1)
		return -1;
	/* A manager that was told of the reload is told of its end, even if it
	 * is not told anything after that. */
	if (t->config.supervised != SUPERVISED_NO ||
	    c->supervised != SUPERVISED_NO)
		notify_enable(&m->notify,
		    t->config.supervised == SUPERVISED_NO);
	if (t->failure[0] == '\0')
		atomic_store(&m->service->loglevel, c->loglevel);
	log_follow(&m->service->loglevel);
	if (daemonize != (c->daemonize != 0))
		log_warnx("daemonize %s: takes effect at the next start",
		    daemonize ? "yes" : "no");
	/* Clients that came at another rate do not count. */
	if (resume_rates_differ(c, &t->config))
		for (unsigned i = 0; i < SERVICE_NUMBERS; i++)
			atomic_store(&m->arena.header->accept_due[i], 0);
	if (resume_make_room(m, c) == -1 ||
	    resume_move_pidfile(p, old, c) == -1)
		return -1;
	/* A program that got the service back keeps its handlers and its
	 * listeners. */
	if (t->failure[0] != '\0')
		handlers_resume(m);
	else if (handlers_open(m, t->handlers, why, sizeof(why)) == -1) {
		log_warnx("%s", why);
		return -1;
	}
	listen_number(&m->handlers, c, &n);
	if (t->failure[0] != '\0')
		listen_keep(&m->arena, m->service, c, &n);
	else if (listen_open(&m->arena, m->service, c, &n, &t->resolved,
		     &m->wanted) == -1)
		return -1;
	if (admin_sockets_open(&m->admin_sockets, c, &same, &old_admin,
		&t->config) == -1)
		return -1;
	if (admin_child_open(m, true) == 0 && workers_start(m, true) == 0)
		return 0;
	admin_sockets_close(&m->admin_sockets, &old_admin);
	return -1;
}

/* The record as it was before there was a worker: a worker that an attacker has
 * taken over could write into the memfd. */
struct record_copy {
	char *text; /* NULL: memory is short */
	size_t length;
};

/*
 * Execute the program before again, which goes on with the record that it
 * wrote; `reason` is why this program does not.  Returns if even that fails:
 * then the service has ended.
 */
static int
resume_give_back(const struct upgrade_record *t, const struct record_copy *copy,
    const char *reason)
{
	int record = copy->text == NULL
	    ? -1
	    : key_values_again("echod-takeover", copy->text, copy->length);
	char pid[16];

	/* This process can be a standby that has become the master. */
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	log_warnx("the takeover failed: %s", reason);
	if (t->failure[0] != '\0')
		log_warnx("the former program cannot carry on either");
	else if (record == -1 ||
	    key_values_add(record, "failure", reason) == -1 ||
	    key_values_add(record, "pid", pid) == -1 ||
	    descriptor_keep(record, true) == -1)
		log_warn("takeover");
	else {
		(void)descriptor_keep(t->log, true);
		close(t->record);
		executable_exec(t->executable, record);
		log_warn("the former program cannot be executed");
	}
	return EXIT_NOT_STARTED;
}

static void
resume_tell_change(const char *name, const char *was, const char *is)
{
	log_notice("reload: %s: %s -> %s", name,
	    was[0] != '\0' ? was : "(none)", is[0] != '\0' ? is : "(none)");
}

/* Log what has changed, then the result in one line. */
static void
resume_report_upgrade(const struct config *c, const struct upgrade_record *t,
    struct service_state *s)
{
	struct service_totals *totals = &s->totals;
	unsigned long long held = t->connections;
	unsigned long long ms = clock_ms() - t->began;

	totals->reloaded = clock_ms();
	totals->pause = ms;
	totals->kept += held;
	if (t->failure[0] != '\0') {
		service_refuse(s, t->failure);
		log_warnx(
		    "reload failed: %s; echod " PACKAGE_VERSION " carries "
		    "on as before, %llu connections kept, nobody was served "
		    "for %llu ms",
		    t->failure, held, ms);
		return;
	}
	totals->reloads++;
	totals->refusal[0] = '\0';
	if (config_compare(&t->config, c, resume_tell_change) > 0)
		advice_log(c);
	log_notice("reloaded: echod %s -> " PACKAGE_VERSION
		   ", %llu connections kept, nobody was served for %llu ms",
	    t->version, held, ms);
}

/* Close what the program before had and this one has not. */
static void
resume_leave_admin(struct admin_sockets *left, const struct config *was,
    const struct admin_sockets *ours)
{
	/* The file belongs to this program if it has the same path. */
	if (left->control != ours->control &&
	    strcmp(was->control_socket, ours->file.path) != 0)
		(void)control_file_adopt(&left->file, was->control_socket);
	admin_sockets_close(left, ours);
}

/* Workers serve: release what was kept for a way back, and go on. */
static void
resume_commit(struct master *m, const struct upgrade_record *t,
    struct pidfile *old)
{
	struct admin_sockets left = { t->control, t->metrics,
		CONTROL_FILE_NONE };

	/* First of all: clients that come from now on are the next one's. */
	admin_child_replace(m);
	handlers_commit(m);
	(void)hand_over_keep(&m->arena, m->service, false);
	(void)descriptor_keep(m->pidfile->fd, false);
	descriptor_close_file(t->record);
	descriptor_close_file(t->handlers);
	descriptor_close_file(t->service);
	descriptor_close_file(t->executable);
	if (t->log != log_descriptor())
		descriptor_close_file(t->log);
	if (old->fd != m->pidfile->fd)
		pidfile_release(old);
	resume_leave_admin(&left, &t->config, &m->admin_sockets);
	(void)admin_sockets_keep(&m->admin_sockets, false);
	(void)descriptor_keep(m->admin.socket, false);
	resume_report_upgrade(m->config, t, m->service);
	listen_report(m->service, m->config, &m->wanted);
	drop_begin(&m->drop, &m->arena, m->service);
	m->reload.again = t->again;
	m->reload.asked = t->asked;
	m->reload.later = t->later;
	listen_announce(m->service);
	reload_tell(m, t->failure[0] != '\0' ? "failed" : NULL);
}

int
resume_service(struct config *c, const struct upgrade_record *t,
    resume_load *load, worker_entry *entry)
{
	static struct pidfile pidfile = PIDFILE_NONE;
	struct master *m = master_make(c, entry);
	struct pidfile old = { t->pidfile, "" };
	struct record_copy copy;
	struct listen_state listeners;
	struct config_error e;
	char why[256];
	int status;

	signals_block();
	/* The kernel has named the process after the descriptor that was
	 * executed. */
	prctl(PR_SET_NAME, "echod");
	copy.text = key_values_text(t->record, &copy.length);
	if (m == NULL)
		return resume_give_back(t, &copy, "memory is short");
	m->pidfile = &pidfile;
	master_let_inherit(m, false);
	if (t->failure[0] != '\0')
		*c = t->config;
	else if (load(c, &e) == -1)
		return resume_give_back(t, &copy, e.text);
	if (arena_attach(&m->arena, t->arena, why, sizeof(why)) == -1)
		return resume_give_back(t, &copy, why);
	m->service = service_make(&m->arena, &m->service_fd, t->service, why,
	    sizeof(why));
	if (m->service == NULL)
		return resume_give_back(t, &copy, why);
	admin_child_init(m);
	admin_child_inherit(m, t);
	standby_inherit(m, t->standby, t->number);
	if (old.fd != -1)
		snprintf(old.path, sizeof(old.path), "%s", t->config.pidfile);
	listeners = listen_save(m->service);
	m->executable = executable_hold();
	if (m->executable == -1) {
		log_warn("the program's own file");
		return resume_give_back(t, &copy, log_last_warning());
	}
	if (resume_take_over(m, c, t, &pidfile, &old) == -1) {
		snprintf(why, sizeof(why), "%s", log_last_warning());
		if (pidfile.fd != old.fd)
			pidfile_release(&pidfile);
		listen_restore(&m->arena, m->service,
		    &listeners); /* publishes, too */
		if (hand_over_keep(&m->arena, m->service, true) == -1)
			log_warn("descriptors for the former program");
		return resume_give_back(t, &copy, why);
	}
	/* A standby comes here, too: before that, or later. */
	if (!m->started) {
		free(copy.text);
		resume_commit(m, t, &old);
	}
	status = loop_run(m);
	admin_sockets_close(&m->admin_sockets, NULL);
	pidfile_release(&pidfile);
	return status;
}
