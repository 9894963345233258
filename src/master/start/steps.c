/* SPDX-License-Identifier: ISC */
/*
 * Steps of bringing the service up.
 */
#include "master/start/steps.h"

#include <sys/resource.h>
#include <unistd.h>

#include "lib/descriptor_name.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/title.h"
#include "master/listeners/listen.h"
#include "master/notify.h"
#include "master/start/pidfile.h"

/* Workers of a master that was killed have shutdown-timeout, and so long to be
 * gone, s. */
#define PATIENCE_S 5

unsigned
steps_descriptors(const struct config *c)
{
	return c->maxclients + config_reserved_descriptors(c);
}

int
steps_limit(unsigned descriptors, unsigned long *most)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return -1;
	rl.rlim_cur = descriptors;
	*most = rl.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &rl);
}

int
steps_log(const struct config *c, const struct identity *id, int inherited)
{
	/* The name of a descriptor means that one, and no file. */
	int named = descriptor_name(c->logfile);
	struct log_settings s = {
		.level = (int)c->loglevel,
		.console = named != -1 ? named
		    : c->daemonize     ? STDERR_FILENO
				       : STDOUT_FILENO,
		.console_level = c->daemonize ? LOG_LEVEL_WARNING
					      : LOG_LEVEL_DEBUG,
		.file = c->logfile[0] != '\0' && named == -1 ? c->logfile
							     : NULL,
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
steps_pidfile(struct pidfile *p, const struct config *c, bool wait)
{
	unsigned patience = wait ? (c->shutdown_timeout + PATIENCE_S) * 1000
				 : 0;
	char why[512];

	if (c->pidfile[0] == '\0')
		return 0;
	if (pidfile_claim(p, c->pidfile, patience, why, sizeof(why)) == -1) {
		log_warnx("pidfile %s: %s", c->pidfile, why);
		return -1;
	}
	if (why[0] != '\0')
		log_warnx("pidfile %s: %s", c->pidfile, why);
	return 0;
}

/* A header from anybody is a way around every rule about addresses; without
 * one it is a way to sign the log with another's name. */
static void
steps_report_trust(const struct config *c)
{
	static const char text[] = "proxy-trusted is empty: every client can "
				   "name itself by any address";

	if (c->proxy_protocol == PROXY_PROTOCOL_OFF ||
	    c->proxy_trusted.count != 0)
		return;
	if (c->allow.count != 0 || c->deny.count != 0 ||
	    c->maxclients_per_ip != 0 || c->accept_rate_per_ip != 0)
		log_warnx("%s, and so escape the rules about addresses", text);
	else
		log_notice("%s", text);
}

/* What the service may take, if all clients come and none is closed for want of
 * memory: rough figures, of which the kernel's is the roughest. */
static unsigned long long
steps_memory_needed(const struct config *c)
{
	enum {
		RECORD = 133,
		FIRST_BLOCK = SPILL_BLOCK,
		SOCKET = 4096,
		WORKER = 2 << 20,
		MASTER = 4 << 20
	};

	return c->maxmemory_clients.n +
	    (unsigned long long)c->maxclients *
	    (RECORD + FIRST_BLOCK + SOCKET) +
	    WORKER * (unsigned long long)c->workers + MASTER;
}

static void
steps_warn_of_memory(const struct config *c)
{
	unsigned long long needed = steps_memory_needed(c), limit;
	char what[160];

	limit = limits_memory(what, sizeof(what));
	if (limit < needed)
		log_warnx("memory: there are %llu MB (%s), but %u clients may "
			  "take %llu MB, of which maxmemory-clients is %llu: "
			  "lower one of the two",
		    limit >> 20, what, c->maxclients, needed >> 20,
		    c->maxmemory_clients.n >> 20);
}

void
steps_report(const struct config *c)
{
	if (c->ignored.count > 0)
		log_notice("%s: %u Redis directives mean nothing here: %s",
		    c->file, c->ignored.count, c->ignored.names);
	if (*config_note(c, "maxclients") != '\0')
		log_warnx("maxclients %u: %s", c->maxclients,
		    config_note(c, "maxclients"));
	steps_report_trust(c);
	steps_warn_of_memory(c);
	if (c->supervised == SUPERVISED_SYSTEMD && !notify_wanted())
		log_warnx("supervised systemd: NOTIFY_SOCKET is not set");
	if (c->supervised == SUPERVISED_NO && notify_wanted())
		log_warnx(
		    "NOTIFY_SOCKET is set, but supervised is no: the "
		    "service manager that waits to be told is told nothing");
	if (c->daemonize && c->logfile[0] == '\0' && !c->syslog_enabled)
		log_warnx("daemonize without logfile or syslog-enabled: "
			  "messages go nowhere");
}

void
steps_announce(const struct master *m)
{
	title_set("master [%s]", listen_names(m->service));
}
