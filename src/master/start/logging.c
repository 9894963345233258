/* SPDX-License-Identifier: ISC */
/*
 * The log, as the configuration has it.
 */
#include "master/start/logging.h"

#include <unistd.h>

#include "lib/descriptor_name.h"
#include "lib/log.h"

int
logging_open(const struct config *c, const struct identity *id, int inherited)
{
	/* A name like /dev/stderr means the descriptor, not a file. */
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
