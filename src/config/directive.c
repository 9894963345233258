/* SPDX-License-Identifier: ISC */
/*
 * The directive table, and finding a row in it.
 */
#include "config/directive.h"

#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "lib/log.h"

/* The place of a value: each service has its own, or there is one. */
#define EACH(member) true, false, offsetof(struct service_config, member)
#define TOTAL(member) true, true, offsetof(struct service_config, member)
#define AT(member) false, false, offsetof(struct config, member)
#define SIZE(member) sizeof(((struct config *)0)->member)

static const struct choice supervised_choices[] = {
	{ "no", SUPERVISED_NO },
	{ "systemd", SUPERVISED_SYSTEMD },
	{ "auto", SUPERVISED_AUTO },
	{ NULL, 0 },
};

static const struct choice proxy_choices[] = {
	{ "off", PROXY_PROTOCOL_OFF },
	{ "on", PROXY_PROTOCOL_ON },
	{ "optional", PROXY_PROTOCOL_OPTIONAL },
	{ NULL, 0 },
};

static const struct choice sandbox_choices[] = {
	{ "no", SANDBOX_NO },
	{ "yes", SANDBOX_YES },
	{ "log", SANDBOX_LOG },
	{ NULL, 0 },
};

static const struct choice level_choices[] = {
#define DIRECTIVE_LEVEL(id, name, priority) { name, LOG_LEVEL_##id },
	LOG_LEVELS(DIRECTIVE_LEVEL)
#undef DIRECTIVE_LEVEL
	    { NULL, 0 },
};

static const struct choice mode_choices[] = {
	{ "0600", 0600 },
	{ "0660", 0660 },
	{ NULL, 0 },
};

static const struct choice facility_choices[] = {
	{ "user", LOG_USER },
	{ "daemon", LOG_DAEMON },
	{ "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
	{ NULL, 0 },
};

/* In the order of redis.conf and of echod.conf(5). */
const struct directive directives[] = {
	{ "bind", TYPE_BIND, "0.0.0.0", 0, 0, NULL, EACH(bind), 0 },
	{ "port", TYPE_NUMBER, "6379", 1, 65535, NULL, EACH(port), 0 },
	{ "tcp-backlog", TYPE_NUMBER, "511", 1, 65535, NULL, EACH(tcp_backlog),
	    0 },
	{ "tcp-keepalive", TYPE_NUMBER, "300", 0, 32767, NULL,
	    EACH(tcp_keepalive), 0 },
	{ "timeout", TYPE_NUMBER, "0", 0, 2147483, NULL, EACH(timeout), 0 },
	{ "maxclients", TYPE_NUMBER, "10000", 1, 1000000, NULL,
	    TOTAL(maxclients), 0 },
	{ "maxclients-per-ip", TYPE_NUMBER, "0", 0, 1000000, NULL,
	    EACH(maxclients_per_ip), 0 },
	{ "maxmemory-clients", TYPE_MEMORY, "auto", 0, 0, NULL,
	    AT(maxmemory_clients), 0 },
	{ "allow", TYPE_NETWORKS, "", 0, 0, NULL, EACH(allow), 0 },
	{ "deny", TYPE_NETWORKS, "", 0, 0, NULL, EACH(deny), 0 },
	{ "accept-rate", TYPE_NUMBER, "0", 0, 1000000, NULL, EACH(accept_rate),
	    0 },
	{ "accept-burst", TYPE_NUMBER, "100", 1, 1000000, NULL,
	    EACH(accept_burst), 0 },
	{ "accept-rate-per-ip", TYPE_NUMBER, "0", 0, 1000000, NULL,
	    EACH(accept_rate_per_ip), 0 },
	{ "proxy-protocol", TYPE_CHOICE, "off", 0, 0, proxy_choices,
	    EACH(proxy_protocol), 0 },
	{ "proxy-trusted", TYPE_NETWORKS, "", 0, 0, NULL, EACH(proxy_trusted),
	    0 },
	{ "proxy-protocol-timeout", TYPE_NUMBER, "3", 1, 3600, NULL,
	    EACH(proxy_protocol_timeout), 0 },
	{ "workers", TYPE_AUTO, "auto", 1, CONFIG_WORKERS_MAX, NULL,
	    AT(workers), 0 },
	{ "handler", TYPE_HANDLER, "echo", 0, 0, NULL, EACH(handler),
	    sizeof(((struct service_config *)0)->handler) },
	{ "shutdown-timeout", TYPE_NUMBER, "10", 0, 86400, NULL,
	    AT(shutdown_timeout), 0 },
	{ "shutdown-delay", TYPE_NUMBER, "0", 0, 86400, NULL,
	    AT(shutdown_delay), 0 },
	{ "watchdog-timeout", TYPE_NUMBER, "30", 0, 86400, NULL,
	    AT(watchdog_timeout), 0 },
	{ "standby", TYPE_BOOL, "yes", 0, 0, NULL, AT(standby), 0 },
	{ "daemonize", TYPE_BOOL, "no", 0, 0, NULL, AT(daemonize), 0 },
	{ "pidfile", TYPE_PATH, "", 0, 0, NULL, AT(pidfile), SIZE(pidfile) },
	{ "supervised", TYPE_CHOICE, "no", 0, 0, supervised_choices,
	    AT(supervised), 0 },
	{ "user", TYPE_STRING, "", 0, 0, NULL, AT(user), SIZE(user) },
	{ "group", TYPE_STRING, "", 0, 0, NULL, AT(group), SIZE(group) },
	{ "sandbox", TYPE_CHOICE, "yes", 0, 0, sandbox_choices, AT(sandbox),
	    0 },
	{ "loglevel", TYPE_CHOICE, "notice", 0, 0, level_choices, AT(loglevel),
	    0 },
	{ "logfile", TYPE_PATH, "", 0, 0, NULL, AT(logfile), SIZE(logfile) },
	{ "syslog-enabled", TYPE_BOOL, "no", 0, 0, NULL, AT(syslog_enabled),
	    0 },
	{ "syslog-ident", TYPE_STRING, "echod", 0, 0, NULL, AT(syslog_ident),
	    SIZE(syslog_ident) },
	{ "syslog-facility", TYPE_CHOICE, "local0", 0, 0, facility_choices,
	    AT(syslog_facility), 0 },
	{ "control-socket", TYPE_PATH, "", 0, 0, NULL, AT(control_socket),
	    SIZE(control_socket) },
	{ "control-socket-mode", TYPE_CHOICE, "0600", 0, 0, mode_choices,
	    AT(control_socket_mode), 0 },
	{ "metrics-port", TYPE_NUMBER, "0", 0, 65535, NULL, AT(metrics_port),
	    0 },
	{ "metrics-bind", TYPE_STRING, "127.0.0.1", 0, 0, NULL,
	    AT(metrics_bind), SIZE(metrics_bind) },
};

const unsigned directive_count = sizeof(directives) / sizeof(directives[0]);

_Static_assert(sizeof(directives) / sizeof(directives[0]) <=
	CONFIG_DIRECTIVES_MAX,
    "struct config has no room for their origins");

const struct directive *
directive_find(const char *name)
{
	for (unsigned i = 0; i < directive_count; i++)
		if (strcasecmp(directives[i].name, name) == 0)
			return &directives[i];
	return NULL;
}

void *
directive_place(struct config *c, struct service_config *s,
    const struct directive *d)
{
	return (d->service ? (char *)s : (char *)c) + d->offset;
}

struct setting *
directive_setting(struct config *c, struct service_config *s,
    const struct directive *d)
{
	size_t n = 0;

	if (!d->service)
		return &c->origin[d - directives];
	for (const struct directive *i = directives; i < d; i++)
		n += i->service;
	return &s->origin[n];
}
