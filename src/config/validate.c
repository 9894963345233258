/* SPDX-License-Identifier: ISC */
/*
 * Checks that need more than one directive or the machine.
 */
#include "config/validate.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "config/addresses.h"
#include "config/memory_size.h"
#include "config/origin.h"
#include "config/quota.h"
#include "config/services.h"
#include "config/text.h"
#include "config/value.h"
#include "lib/address.h"
#include "lib/descriptor_name.h"

/* Fail because of a value: the message begins with where it comes from.  If
 * mistakes are forgiven, the value gets a note and this is no failure. */
static int __attribute__((format(printf, 5, 0)))
validate_fail_at(struct config *c, struct setting *s, const char *name,
    struct config_error *e, const char *fmt, va_list ap)
{
	char shown[PATH_MAX];
	size_t n;

	text_show(shown, sizeof(shown), config_origin_file(c, s), 0);
	if (s->origin == ORIGIN_FILE)
		snprintf(e->text, sizeof(e->text), "%s:%u: %s: ", shown,
		    s->line, name);
	else
		snprintf(e->text, sizeof(e->text),
		    "%s%s: ", s->origin == ORIGIN_COMMAND_LINE ? "-o " : "",
		    name);
	n = strlen(e->text);
	vsnprintf(e->text + n, sizeof(e->text) - n, fmt, ap);
	if (!c->forgiving)
		return -1;
	/* A start needs it; a command that asks the service does not. */
	snprintf(s->note, sizeof(s->note), "a start would fail: %.80s",
	    e->text + n);
	return 0;
}

static int validate_fail(struct config *c, const char *name,
    struct config_error *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Fail because of the value of `name`. */
static int
validate_fail(struct config *c, const char *name, struct config_error *e,
    const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = validate_fail_at(c, origin_of(c, name), name, e, fmt, ap);
	va_end(ap);
	return r;
}

/* The number of processors that this process may use, as nproc(1) counts
 * them. */
static unsigned
validate_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
	return 1;
}

/* The number of listeners.  A name can have any number of addresses. */
static unsigned
validate_listeners(const struct config *c)
{
	unsigned n = 0;

	for (unsigned k = 0; k < c->services; k++) {
		const struct bind_list *list = &c->service[k].bind;
		bool named = false;

		for (unsigned i = 0; i < list->count; i++)
			named |= list->address[i].named;
		n += named ? CONFIG_BIND_MAX : list->count;
	}
	return n;
}

/*
 * In addition to the connections, the service needs:
 * - three for each slot: its wakeup eventfd, its event set, the worker's pidfd
 * - the listeners
 * - 36 for all others.  These stay open: the standard streams, the console,
 *   log file, syslog socket, the two ends of the log pipe, pid file, the
 *   program's executable, arena, service state, the master's wakeup, the
 *   pidfds of master, standby and former master, two that stand for them, and
 *   admin's pidfd, socketpair and executable.  These come and go: the next
 *   executable, upgrade record, output and pidfd of the checker during a
 *   reload, a log file that is opened again, a descriptor of the C library, a
 *   connection that is refused.
 * - four for each service: the file and the configuration of its module, and
 *   those of its next one during a reload
 * - the control socket and the metrics, with their clients, if configured
 */
unsigned
config_reserved_descriptors(const struct config *c)
{
	unsigned n = 3 * c->workers + validate_listeners(c) + 4 * c->services +
	    36;

	/* The listeners, and what starting the administration process takes;
	 * its clients are not in this table. */
	if (c->control_socket[0] != '\0' || c->metrics_port != 0)
		n += 24;
	return n;
}

static int
validate_clamp_maxclients(struct config *c, unsigned long max_descriptors,
    struct config_error *e)
{
	unsigned reserved = config_reserved_descriptors(c);
	struct setting *s = origin_of(c, "maxclients");

	if (max_descriptors <= reserved)
		return validate_fail(c, "maxclients", e,
		    "the limit of %lu descriptors "
		    "leaves none for clients; %u are needed for %u workers",
		    max_descriptors, reserved, c->workers);
	if (c->defaults.maxclients > max_descriptors - reserved) {
		snprintf(s->note, sizeof(s->note),
		    "clamped from %u: the limit "
		    "is %lu descriptors, %u of them reserved",
		    c->defaults.maxclients, max_descriptors, reserved);
		c->defaults.maxclients = (unsigned)(max_descriptors - reserved);
	}
	return 0;
}

static int
validate_check_identity(struct config *c, struct config_error *e)
{
	const struct passwd *pw = NULL;

	if (c->user[0] != '\0') {
		pw = getpwnam(c->user);
		if (pw == NULL)
			return validate_fail(c, "user", e, "no such user: %s",
			    c->user);
		if (geteuid() != 0 && pw->pw_uid != geteuid())
			return validate_fail(c, "user", e,
			    "only root can become %s", c->user);
	}
	if (c->group[0] != '\0') {
		const struct group *gr = getgrnam(c->group);

		if (gr == NULL)
			return validate_fail(c, "group", e, "no such group: %s",
			    c->group);
		if (geteuid() != 0 && gr->gr_gid != getegid())
			return validate_fail(c, "group", e,
			    "only root can become %s", c->group);
		if (pw == NULL)
			return validate_fail(c, "group", e,
			    "given without user");
	}
	return 0;
}

/* The working directory of the daemon is /, so paths must be absolute. */
static int
validate_make_absolute(struct config *c, const char *name, char *path,
    size_t size, const char *directory, struct config_error *e)
{
	char relative[PATH_MAX];
	int r;

	if (path[0] == '/' || path[0] == '\0')
		return 0;
	strlcpy(relative, path, sizeof(relative));
	if (directory[0] == '\0')
		r = validate_fail(c, name, e,
		    "%s: a relative path, and getcwd(2) finds "
		    "no working directory",
		    relative);
	else if ((size_t)snprintf(path, size, "%s/%s", directory, relative) >=
		size ||
	    strlen(path) >= CONFIG_VALUE_BYTES)
		r = validate_fail(c, name, e, "%s: %s", relative,
		    strerror(ENAMETOOLONG));
	else if (text_quotes(path) == NULL)
		r = validate_fail(c, name, e,
		    "%s: has quotes of both kinds, or a "
		    "backslash, and would need quotes around it",
		    path);
	else
		return 0;
	/* The path is unusable, also for a command that asks the service. */
	origin_of(c, name)->doubt = DOUBT_SURE;
	if (c->mistakes == 0)
		strlcpy(c->mistake, e->text, sizeof(c->mistake));
	return r;
}

/* Check paths that name descriptors: only the log accepts some of them. */
static int
validate_resolve_descriptors(struct config *c, struct config_error *e)
{
	int fd = descriptor_name(c->logfile);

	if (fd != -1 && fd != STDOUT_FILENO && fd != STDERR_FILENO)
		return validate_fail(c, "logfile", e,
		    "%s is descriptor %d: the log can only go to standard "
		    "output or standard error",
		    c->logfile, fd);
	if (fd != -1 && c->daemonize)
		return validate_fail(c, "logfile", e,
		    "%s is standard %s, which a daemon gives up: set a file, "
		    "or daemonize = no",
		    c->logfile, fd == STDOUT_FILENO ? "output" : "error");
	if (descriptor_name(c->pidfile) != -1)
		return validate_fail(c, "pidfile", e,
		    "%s is the name of a descriptor, not of a file",
		    c->pidfile);
	if (descriptor_name(c->control_socket) != -1)
		return validate_fail(c, "control-socket", e,
		    "%s is the name of a descriptor, not of a socket",
		    c->control_socket);
	return 0;
}

/* Check the control socket and the metrics. */
static int
validate_check_sockets(struct config *c, struct config_error *e)
{
	char address[sizeof(c->metrics_bind)];

	if (strlen(c->control_socket) > CONFIG_CONTROL_PATH)
		return validate_fail(c, "control-socket", e,
		    "%.64s...: longer than %d bytes", c->control_socket,
		    CONFIG_CONTROL_PATH);
	strlcpy(address, c->metrics_bind, sizeof(address));
	if (address_spell(address, c->metrics_bind, sizeof(c->metrics_bind)) !=
	    ADDRESS_NUMERIC)
		return validate_fail(c, "metrics-bind", e,
		    "\"%s\" is not an IPv4 or IPv6 address", address);
	if (c->metrics_port == 0)
		return 0;
#ifndef HAVE_MICROHTTPD
	return validate_fail(c, "metrics-port", e,
	    "this echod was built without libmicrohttpd");
#endif
	/* A worker that recovers identifies clients by the local port. */
	for (unsigned i = 0; i < c->services; i++)
		if (c->metrics_port == c->service[i].port)
			return validate_fail(c, "metrics-port", e,
			    services_have_sections(c)
				? "%u is the port of service %s"
				: "%u is the service's port",
			    c->metrics_port, c->service[i].name);
	return 0;
}

static void
validate_note(struct config *c, const char *name, const char *text)
{
	struct setting *s = origin_of(c, name);

	strlcpy(s->note, text, sizeof(s->note));
}

/* As in Redis: `auto` means systemd if NOTIFY_SOCKET is set, and a supervised
 * service stays in the foreground. */
static void
validate_settle_supervision(struct config *c)
{
	const char *socket = getenv("NOTIFY_SOCKET");

	if (c->supervised == SUPERVISED_AUTO) {
		c->supervised = socket != NULL ? SUPERVISED_SYSTEMD
					       : SUPERVISED_NO;
		validate_note(c, "supervised",
		    socket != NULL ? "auto: NOTIFY_SOCKET is set"
				   : "auto: NOTIFY_SOCKET is not set");
	}
	if (c->supervised != SUPERVISED_NO && c->daemonize) {
		c->daemonize = 0;
		validate_note(c, "daemonize",
		    "changed from yes: supervised services "
		    "stay in the foreground");
	}
}

/* Check that no two services have one address.  The resolver is not asked. */
static int
validate_check_addresses(struct config *c, struct config_error *e)
{
	return addresses_check(c, e->text, sizeof(e->text)) == -1 &&
		!c->forgiving
	    ? -1
	    : 0;
}

/* Without a filter in this build, an explicit `sandbox yes` is an error, and
 * the default changes, which the dump shows. */
static int
validate_settle_sandbox(struct config *c, struct config_error *e)
{
#ifndef HAVE_SECCOMP
	if (c->sandbox == SANDBOX_NO)
		return 0;
	if (origin_of(c, "sandbox")->origin != ORIGIN_DEFAULT)
		return validate_fail(c, "sandbox", e,
		    "this echod was built without libseccomp");
	c->sandbox = SANDBOX_NO;
	validate_note(c, "sandbox",
	    "changed from yes: built without libseccomp");
#else
	(void)c;
	(void)e;
#endif
	return 0;
}

/* `auto` means a worker for each processor that this process may use, by
 * affinity and by quota; a quota is rounded up. */
static void
validate_settle_workers(struct config *c)
{
	unsigned quota = quota_cpu(""), room = (quota + 999) / 1000;
	char text[64];
	size_t len;

	if (c->workers != 0)
		return;
	validate_note(c, "workers", "auto");
	c->workers = validate_processors();
	if (quota != 0 && room < c->workers) {
		c->workers = room;
		len = (size_t)snprintf(text, sizeof(text), "auto: %u.%03u",
		    quota / 1000, quota % 1000);
		len -= quota % 1000 == 0 ? 4
		    : quota % 100 == 0	 ? 2
		    : quota % 10 == 0	 ? 1
					 : 0;
		snprintf(text + len, sizeof(text) - len, " CPUs of quota");
		validate_note(c, "workers", text);
	}
	if (c->workers > CONFIG_WORKERS_MAX)
		c->workers = CONFIG_WORKERS_MAX;
}

int
config_validate(struct config *c, const char *directory,
    unsigned long max_descriptors, struct config_error *e)
{
	if (services_settle(c, e) == -1)
		return -1;
	validate_settle_workers(c);
	memory_size_settle(&c->maxmemory_clients, CONFIG_MEMORY_SHARE,
	    origin_of(c, "maxmemory-clients")->note, sizeof(c->origin[0].note));
	validate_settle_supervision(c);
	if (validate_clamp_maxclients(c, max_descriptors, e) == -1 ||
	    validate_check_identity(c, e) == -1 ||
	    validate_make_absolute(c, "pidfile", c->pidfile, sizeof(c->pidfile),
		directory, e) == -1 ||
	    validate_make_absolute(c, "logfile", c->logfile, sizeof(c->logfile),
		directory, e) == -1 ||
	    validate_make_absolute(c, "control-socket", c->control_socket,
		sizeof(c->control_socket), directory, e) == -1 ||
	    validate_resolve_descriptors(c, e) == -1 ||
	    validate_check_sockets(c, e) == -1 ||
	    validate_check_addresses(c, e) == -1 ||
	    validate_settle_sandbox(c, e) == -1)
		return -1;
	return 0;
}
