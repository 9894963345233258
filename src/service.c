/*
 * The service: starting, taking over, giving back.
 */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bsd/unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/title.h"
#include "handler/handler.h"
#include "master/daemonize.h"
#include "master/image.h"
#include "master/listen.h"
#include "master/master.h"
#include "master/pidfile.h"
#include "master/privileges.h"
#include "master/reload.h"
#include "master/supervise.h"
#include "worker/worker.h"

/* A listener must never get the number of a standard stream, nor an inherited
 * descriptor one of ours. */
static void
tidy_descriptors(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) != -1)
		if (fd > STDERR_FILENO) {
			close(fd);
			break;
		}
	closefrom(STDERR_FILENO + 1);
}

/* The process may have exactly as many descriptors as it has use for: none may
 * be beyond the arena's records. */
static int
limit_descriptors(unsigned descriptors, unsigned long *most)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return -1;
	rl.rlim_cur = descriptors;
	*most = rl.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &rl);
}

static unsigned
descriptors_for(const struct config *c)
{
	return c->maxclients + config_reserved_descriptors(c);
}

static int
open_log(const struct config *c, const struct identity *id)
{
	struct log_settings s = {
		.level = (int)c->loglevel,
		.console = c->daemonize ? STDERR_FILENO : STDOUT_FILENO,
		.console_level = c->daemonize ? LOG_LEVEL_WARNING :
		    LOG_LEVEL_DEBUG,
		.file = c->logfile[0] != '\0' ? c->logfile : NULL,
		.uid = id->uid,
		.gid = id->gid,
		.syslog = c->syslog_enabled,
		.syslog_ident = c->syslog_ident,
		.syslog_facility = (int)c->syslog_facility,
	};

	return log_open(&s);
}

/* What a reader of the log should know of the configuration. */
static void
report(const struct config *c)
{
	if (c->ignored.count > 0)
		log_notice("%s: %u Redis directives mean nothing here: %s",
		    c->file, c->ignored.count, c->ignored.names);
	if (*config_note(c, "maxclients") != '\0')
		log_warnx("maxclients %u: %s", c->maxclients,
		    config_note(c, "maxclients"));
	if (c->supervised == SUPERVISED_SYSTEMD && !supervise_wanted())
		log_warnx("supervised systemd: NOTIFY_SOCKET is not set");
	if (c->daemonize && c->logfile[0] == '\0' && !c->syslog_enabled)
		log_warnx("daemonize without logfile or syslog-enabled: "
		    "messages go nowhere");
}

static void
report_program(const struct config *c)
{
	log_notice("echod " PACKAGE_VERSION ", %u workers, handler %s, "
	    "maxclients %u, configuration %s", c->workers,
	    handler_of((enum handler_kind)c->handler)->name, c->maxclients,
	    c->file[0] != '\0' ? c->file : "built in");
	if (c->user[0] == '\0' && geteuid() == 0)
		log_warnx("running as root; set `user` to give that up");
	report(c);
}

/* Returns 0, or -1 with the reason logged. */
static int
claim_pidfile(struct pidfile *p, const struct config *c)
{
	pid_t other;

	if (c->pidfile[0] == '\0')
		return 0;
	switch (pidfile_claim(p, c->pidfile, &other)) {
	case 0:
		return 0;
	case 1:
		log_warnx("pidfile %s: already running, pid %ld", c->pidfile,
		    (long)other);
		return -1;
	default:
		log_warn("pidfile %s", c->pidfile);
		return -1;
	}
}

/*
 * Everything that can fail or needs root, in this order: the pid file (is
 * there another one of us?), the arena, the listeners, the log, then root is
 * given up and the workers start.  Returns 0, or -1 with the reason logged.
 */
static int
bring_up(struct master *m, const struct config *c, struct pidfile *p)
{
	unsigned descriptors = descriptors_for(c);
	struct identity id = privileges_identity(c);
	unsigned long most;

	if (claim_pidfile(p, c) == -1)
		return -1;
	if (limit_descriptors(descriptors, &most) == -1 ||
	    arena_create(&m->arena, CONFIG_WORKERS_MAX, descriptors,
	    most) == -1) {
		log_warn("arena for %u descriptors", descriptors);
		return -1;
	}
	if (listen_open(&m->arena, c) == -1)
		return -1;
	if (open_log(c, &id) == -1) {
		log_warn("logfile %s", log_path());
		return -1;
	}
	if (privileges_drop(c, &id) == -1) {
		log_warn("user %s", c->user);
		return -1;
	}
	report_program(c);
	listen_report(&m->arena, c);
	if (master_start(m, false) == -1)
		return -1;
	if (p->fd != -1 && pidfile_enter(p) == -1)
		log_warn("pidfile %s", c->pidfile);
	return 0;
}

/* The title, and the service manager, from now on. */
static void
announce(const struct master *m, const char *remark)
{
	title_set("master [%s]", listen_names(&m->arena));
	if (m->config->supervised != SUPERVISED_NO)
		supervise_enable();
	supervise_ready(m->config, listen_names(&m->arena), remark);
}

int
service_start(const struct config *c)
{
	static struct master m;
	struct pidfile pidfile = PIDFILE_NONE;
	int status;

	m.config = c;
	m.entry = worker_main;
	m.pidfile = &pidfile;
	signals_block();
	tidy_descriptors();
	if (c->daemonize && daemonize() == -1) {
		log_warn("daemonize");
		return EXIT_NOT_STARTED;
	}
	m.image = image_hold();
	if (m.image == -1 || bring_up(&m, c, &pidfile) == -1) {
		if (m.image == -1)
			log_warn("the program's own file");
		pidfile_release(&pidfile);
		return EXIT_NOT_STARTED;
	}
	log_notice("ready on %s after %llu ms", listen_names(&m.arena),
	    (unsigned long long)(clock_ms() - m.arena.header->started));
	announce(&m, "");
	daemonize_ready();
	status = master_run(&m);
	pidfile_release(&pidfile);
	return status;
}

/* Room for the clients of `c`.  Records there are may become usable; those in
 * use stay so.  Returns 0, or -1 with the reason logged. */
static int
make_room(struct arena *a, struct config *c)
{
	unsigned descriptors = descriptors_for(c);
	unsigned long most;

	if (descriptors > a->header->capacity) {
		log_warnx("maxclients %u needs %u descriptors; without a "
		    "restart there can be %u", c->maxclients, descriptors,
		    a->header->capacity);
		return -1;
	}
	if (descriptors <= a->header->descriptors)
		return 0;
	if (limit_descriptors(descriptors, &most) == -1) {
		log_warn("limit of %u descriptors", descriptors);
		return -1;
	}
	a->header->descriptors = descriptors;
	return 0;
}

/* Returns 0, or -1 with the reason logged; `p` may be a new file then. */
static int
move_pidfile(struct pidfile *p, const struct pidfile *old,
    const struct config *c)
{
	if (strcmp(c->pidfile, old->path) == 0) {
		*p = *old;
		return 0;
	}
	if (claim_pidfile(p, c) == -1)
		return -1;
	if (p->fd != -1 && pidfile_enter(p) == -1) {
		log_warn("pidfile %s", c->pidfile);
		return -1;
	}
	return 0;
}

/* Everything up to workers that serve.  Returns 0, or -1 with the reason
 * logged and nothing done that give_back() does not undo. */
static int
take_over(struct master *m, struct config *c, const struct takeover *t,
    struct pidfile *p, const struct pidfile *old)
{
	const struct identity same = { (uid_t)-1, (gid_t)-1 };

	bool daemonize = c->daemonize != 0;

	c->daemonize = t->config.daemonize;
	if (open_log(c, &same) == -1) {
		log_warn("logfile %s", log_path());
		return -1;
	}
	if (daemonize != (c->daemonize != 0))
		log_warnx("daemonize %s: takes effect at the next start",
		    daemonize ? "yes" : "no");
	if (make_room(&m->arena, c) == -1 ||
	    move_pidfile(p, old, c) == -1 || listen_open(&m->arena, c) == -1)
		return -1;
	return master_start(m, true);
}

/*
 * Execute the image before again, which carries on with what it left; `reason`
 * is why we do not.  Returns if even that fails: the service has ended then.
 */
static int
give_back(const struct takeover *t, const char *reason)
{
	log_warnx("the takeover failed: %s", reason);
	if (t->failure[0] != '\0')
		log_warnx("the former program cannot carry on either");
	else if (takeover_add(t->record, "failure", reason) == -1)
		log_warn("takeover");
	else {
		image_exec(t->image, t->record);
		log_warn("the former program cannot be executed");
	}
	return EXIT_NOT_STARTED;
}

static void
tell_change(const char *name, const char *was, const char *is)
{
	log_notice("reload: %s: %s -> %s", name, was[0] != '\0' ? was : "(none)",
	    is[0] != '\0' ? is : "(none)");
}

/* What came of it, in one line after those of what has changed. */
static void
report_takeover(const struct config *c, const struct takeover *t)
{
	unsigned long long held = t->connections;
	unsigned long long ms = clock_ms() - t->began;

	if (t->failure[0] != '\0') {
		log_warnx("reload failed: %s; echod " PACKAGE_VERSION " carries "
		    "on as before, %llu connections kept, nobody was served "
		    "for %llu ms", t->failure, held, ms);
		return;
	}
	if (config_compare(&t->config, c, tell_change) > 0)
		report(c);
	log_notice("reloaded: echod %s -> " PACKAGE_VERSION ", %llu connections "
	    "kept, nobody was served for %llu ms", t->version, held, ms);
}

/* There is no way back from here, and no need of one. */
static void
commit(struct master *m, const struct takeover *t, struct pidfile *old)
{
	takeover_keep(&m->arena, false);
	takeover_keep_one(m->pidfile->fd, false);
	close(t->record);
	close(t->image);
	if (old->fd != m->pidfile->fd)
		pidfile_release(old);
	report_takeover(m->config, t);
	listen_report(&m->arena, m->config);
	reload_drop_listeners(m);
	m->reload.again = t->again;
	announce(m, t->failure[0] != '\0' ? "; the last reload failed" : "");
}

int
service_resume(struct config *c, const struct takeover *t, service_load *load)
{
	static struct master m;
	struct pidfile old = { t->pidfile, "" }, pidfile = PIDFILE_NONE;
	struct listen_state listeners;
	struct config_error e;
	char why[256];
	int status;

	m.config = c;
	m.entry = worker_main;
	m.pidfile = &pidfile;
	signals_block();
	/* Executed by descriptor, we would be called by its number. */
	prctl(PR_SET_NAME, "echod");
	if (t->failure[0] != '\0')
		*c = t->config;
	else if (load(c, &e) == -1)
		return give_back(t, e.text);
	if (arena_attach(&m.arena, t->arena, why, sizeof(why)) == -1)
		return give_back(t, why);
	if (old.fd != -1)
		snprintf(old.path, sizeof(old.path), "%s", t->config.pidfile);
	listeners = listen_save(&m.arena);
	m.image = image_hold();
	if (m.image == -1) {
		log_warn("the program's own file");
		return give_back(t, log_last_warning());
	}
	if (take_over(&m, c, t, &pidfile, &old) == -1) {
		snprintf(why, sizeof(why), "%s", log_last_warning());
		if (pidfile.fd != old.fd)
			pidfile_release(&pidfile);
		listen_restore(&m.arena, &listeners);
		takeover_keep(&m.arena, true);
		return give_back(t, why);
	}
	commit(&m, t, &old);
	status = master_run(&m);
	pidfile_release(&pidfile);
	return status;
}
