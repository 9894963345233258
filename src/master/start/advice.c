/* SPDX-License-Identifier: ISC */
/*
 * Advice about the configuration, for readers of the log.
 */
#include "master/start/advice.h"

#include "config/origin.h"
#include "config/services.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "master/notify.h"

/* If every client may send a PROXY header, every client can evade the rules
 * about addresses.  Where there are no such rules it can still put another
 * address into the log. */
static void
advice_report_trust(const struct service_config *s)
{
	static const char text[] = "every client can name itself by any "
				   "address";
	char label[SERVICES_LABEL];

	if (s->proxy_protocol == PROXY_PROTOCOL_OFF ||
	    s->proxy_trusted.count != 0)
		return;
	if (s->allow.count != 0 || s->deny.count != 0 ||
	    s->maxclients_per_ip != 0 || s->accept_rate_per_ip != 0)
		log_warnx("%s is empty: %s, and so escape the rules about "
			  "addresses",
		    services_label(label, sizeof(label), s, "proxy-trusted"),
		    text);
	else
		log_notice("%s is empty: %s",
		    services_label(label, sizeof(label), s, "proxy-trusted"),
		    text);
}

/* The memory that the service takes if all clients come and none is closed for
 * want of memory.  The figures are rough; the kernel's is the roughest. */
static unsigned long long
advice_memory_needed(const struct config *c)
{
	enum {
		RECORD = 133,
		FIRST_BLOCK = SPILL_BLOCK,
		SOCKET = 4096,
		WORKER = 2 << 20,
		MASTER = 4 << 20
	};

	return c->maxmemory_clients.n +
	    (unsigned long long)c->defaults.maxclients *
	    (RECORD + FIRST_BLOCK + SOCKET) +
	    WORKER * (unsigned long long)c->workers + MASTER;
}

static void
advice_warn_of_memory(const struct config *c)
{
	unsigned long long needed = advice_memory_needed(c), limit;
	char what[160];

	limit = limits_memory(what, sizeof(what));
	if (limit < needed)
		log_warnx("memory: there are %llu MB (%s), but %u clients may "
			  "take %llu MB, of which maxmemory-clients is %llu: "
			  "lower one of the two",
		    limit >> 20, what, c->defaults.maxclients, needed >> 20,
		    c->maxmemory_clients.n >> 20);
}

void
advice_log(const struct config *c)
{
	if (c->ignored.count > 0)
		log_notice("%s: %u Redis directives mean nothing here: %s",
		    c->file, c->ignored.count, c->ignored.names);
	if (*config_note(c, "maxclients") != '\0')
		log_warnx("maxclients %u: %s", c->defaults.maxclients,
		    config_note(c, "maxclients"));
	for (unsigned i = 0; i < c->services; i++)
		advice_report_trust(&c->service[i]);
	advice_warn_of_memory(c);
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
