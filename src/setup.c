/*
 * Steps of bringing the service up.
 */
#include "setup.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/descriptor_name.h"
#include "base/log.h"
#include "base/title.h"
#include "master/listen.h"
#include "master/pidfile.h"
#include "master/supervise.h"

unsigned
setup_descriptors(const struct config *c)
{
	return c->maxclients + config_reserved_descriptors(c);
}

int
setup_limit(unsigned descriptors, unsigned long *most)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return -1;
	rl.rlim_cur = descriptors;
	*most = rl.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &rl);
}

int
setup_log(const struct config *c, const struct identity *id, int inherited)
{
	/* The name of a descriptor means that one, and no file. */
	int named = descriptor_name(c->logfile);
	struct log_settings s = {
		.level = (int)c->loglevel,
		.console = named != -1 ? named : c->daemonize ?
		    STDERR_FILENO : STDOUT_FILENO,
		.console_level = c->daemonize ? LOG_LEVEL_WARNING :
		    LOG_LEVEL_DEBUG,
		.file = c->logfile[0] != '\0' && named == -1 ?
		    c->logfile : NULL,
		.uid = id->uid,
		.gid = id->gid,
		.inherited = inherited,
		.syslog = c->syslog_enabled,
		.syslog_ident = c->syslog_ident,
		.syslog_facility = (int)c->syslog_facility,
	};

	if (log_open(&s) == 0)
		return 0;
	log_warn("logfile %s", log_path());
	return -1;
}

int
setup_pidfile(struct pidfile *p, const struct config *c)
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

void
setup_report(const struct config *c)
{
	if (c->ignored.count > 0)
		log_notice("%s: %u Redis directives mean nothing here: %s",
		    c->file, c->ignored.count, c->ignored.names);
	if (*config_note(c, "maxclients") != '\0')
		log_warnx("maxclients %u: %s", c->maxclients,
		    config_note(c, "maxclients"));
	if (c->supervised == SUPERVISED_SYSTEMD && !supervise_wanted())
		log_warnx("supervised systemd: NOTIFY_SOCKET is not set");
	if (c->supervised == SUPERVISED_NO && supervise_wanted())
		log_warnx("NOTIFY_SOCKET is set, but supervised is no: the "
		    "service manager that waits to be told is told nothing");
	if (c->daemonize && c->logfile[0] == '\0' && !c->syslog_enabled)
		log_warnx("daemonize without logfile or syslog-enabled: "
		    "messages go nowhere");
}

void
setup_announce(const struct master *m, const char *remark)
{
	title_set("master [%s]", listen_names(&m->arena));
	supervise_ready(m->config, listen_names(&m->arena), remark);
}
