/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets of the service: how the open ones become the wanted
 * ones.
 */
#include "master/listeners/listen.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <bsd/string.h>

#include "config/services.h"
#include "lib/descriptor_close.h"
#include "lib/log.h"
#include "lib/title.h"
#include "master/listeners/collect.h"
#include "master/listeners/inherit.h"
#include "master/listeners/listener.h"
#include "shared/service.h"

/* Follows "bind ADDRESS: ". */
#define LISTEN_SKIPPED "not available, skipped until it is"
/* Room for a reason, with the places of two services. */
#define LISTEN_WHY 2048

void
listen_share(const struct service_state *o, bool yes)
{
	for (unsigned i = 0; i < o->listeners; i++)
		if ((o->listener[i].flags & LISTENER_PASSED) == 0)
			(void)listener_share(o->listener[i].fd, yes);
}

void
listen_give(const struct service_state *o, unsigned uid, unsigned gid)
{
	for (unsigned i = 0; i < o->listeners; i++)
		if ((o->listener[i].flags & LISTENER_PASSED) == 0)
			(void)!fchown(o->listener[i].fd, uid, gid);
}

_Static_assert(sizeof(((struct service_state *)0)->service[0]) ==
	CONFIG_SERVICE_NAME,
    "service state has room for names");

/* Set up a listener that was open before.  A failure is logged; it costs no
 * more than a setting. */
static void
listen_adjust(struct listener *l, const struct service_config *c)
{
	if (listener_adjust(l->fd, c) == -1 ||
	    ((l->flags & LISTENER_PASSED) == 0 &&
		listener_share(l->fd, false) == -1))
		log_warn("%s keeps its former settings", l->name);
	l->flags &= ~LISTENER_ABSENT;
	if (!listener_has_address(l->fd))
		l->flags |= LISTENER_ABSENT;
}

/* The number of the service called `name`, or `otherwise`. */
static unsigned
listen_number_of(const struct handler_table *t, const char *name,
    unsigned otherwise)
{
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if (t->entry[i].state == ENTRY_CURRENT &&
		    strcmp(t->entry[i].service, name) == 0)
			return t->entry[i].number;
	return otherwise;
}

void
listen_number(const struct handler_table *t, const struct config *c,
    struct listen_numbers *n)
{
	for (unsigned i = 0; i < c->services; i++)
		n->of[i] = (uint8_t)listen_number_of(t, c->service[i].name, i);
}

/* Note the names of the services for those that see the numbers only. */
static void
listen_note_names(struct service_state *o, const struct config *c,
    const struct listen_numbers *n)
{
	for (unsigned i = 0; i < c->services; i++)
		strlcpy(o->service[n->of[i]], c->service[i].name,
		    sizeof(o->service[0]));
}

void
listen_keep(const struct arena *a, struct service_state *o,
    const struct config *c, const struct listen_numbers *n)
{
	for (unsigned i = 0; i < o->listeners; i++)
		for (unsigned k = 0; k < c->services; k++)
			if (n->of[k] == o->listener[i].service)
				listen_adjust(&o->listener[i], &c->service[k]);
	service_publish(a, o);
}

struct listen_state
listen_save(const struct service_state *o)
{
	struct listen_state s = { .listeners = o->listeners,
		.dropped = o->dropped };

	memcpy(s.listener, o->listener, sizeof(s.listener));
	return s;
}

/* If the interface in the listener's name is another one than it was, no client
 * will come.  The listener loses its name, so it is dropped and another one is
 * opened. */
static void
listen_disown_stale(struct listener *l)
{
	if (strchr(l->name, '%') != NULL && listener_is_stale(l->fd, l->name))
		strlcat(l->name, " (gone)", sizeof(l->name));
}

/* The settings of a wanted listener are those of its service. */
static void
listen_set_up(struct collection *s, unsigned i)
{
	struct listener *l = &s->wanted[i];
	const struct address *a = addresses_named(s->addresses, l->name);

	if (a != NULL && (!s->opened[i] || (l->flags & LISTENER_PASSED) != 0))
		listen_adjust(l, &s->config->service[a->service]);
	else
		(void)listener_share(l->fd, false);
}

int
listen_open(const struct arena *a, struct service_state *o,
    const struct config *c, const struct listen_numbers *n,
    const struct resolved *known, struct addresses *wanted)
{
	char why[LISTEN_WHY];
	struct collection s = { .addresses = wanted,
		.config = c,
		.olds = o->listeners + o->dropped,
		.why = why,
		.size = sizeof(why) };

	/* The listeners that a reload drops are closed before the next one. */
	if (s.olds > ARENA_LISTENERS_MAX) {
		log_warnx("bind: there are %u listeners already", s.olds);
		return -1;
	}
	memcpy(s.old, o->listener, sizeof(s.old));
	for (unsigned i = 0; i < s.olds; i++)
		listen_disown_stale(&s.old[i]);
	if (addresses_find(wanted, c, known, why, sizeof(why)) == -1) {
		log_warnx("%s", why);
		return -1;
	}
	for (unsigned i = 0; i < wanted->count; i++)
		wanted->address[i].number = n->of[wanted->address[i].service];
	if (collect_all(&s) == -1) {
		log_warnx("%s", why);
		return -1;
	}
	for (unsigned i = 0; i < s.count; i++)
		listen_set_up(&s, i);
	memcpy(o->listener, s.wanted, s.count * sizeof(s.wanted[0]));
	memcpy(o->listener + s.count, s.old, s.olds * sizeof(s.old[0]));
	o->listeners = s.count;
	o->dropped = s.olds;
	listen_note_names(o, c, n);
	service_publish(a, o);
	return 0;
}

/* Warn of what a start would log. */
static void
listen_tell(struct collection *s)
{
	const struct addresses *a = s->addresses;

	for (unsigned i = 0; i < a->remarks; i++)
		log_warnx("%s", a->remark[i]);
	for (unsigned i = 0; i < a->count; i++) {
		const struct listener *l = collect_find(s->wanted, s->count,
		    a->address[i].name);

		if (l == NULL || (l->flags & LISTENER_ABSENT) != 0)
			log_warnx("bind %s: " LISTEN_SKIPPED,
			    a->address[i].name);
	}
}

int
listen_check(const char *const *names, unsigned n, const struct config *c,
    struct resolved *resolved, char *why, size_t size)
{
	static struct addresses found;
	struct collection s = { .addresses = &found,
		.config = c,
		.how = OPEN_TRY,
		.used_is_fine = names == NULL,
		.olds = n,
		.why = why,
		.size = size };

	for (unsigned i = 0; i < n; i++) {
		s.old[i].fd = -1;
		strlcpy(s.old[i].name, names[i], sizeof(s.old[i].name));
	}
	if (addresses_find(&found, c, NULL, why, size) == -1 ||
	    collect_all(&s) == -1)
		return -1;
	for (unsigned i = 0; i < s.count; i++)
		if (s.wanted[i].fd != -1)
			close(s.wanted[i].fd);
	*resolved = found.resolved;
	if (names == NULL)
		listen_tell(&s);
	return 0;
}

void
listen_restore(const struct arena *a, struct service_state *o,
    const struct listen_state *s)
{
	struct listen_state before = *s;

	for (unsigned i = 0; i < o->listeners + o->dropped; i++)
		if (collect_find(before.listener, s->listeners + s->dropped,
			o->listener[i].name) == NULL)
			close(o->listener[i].fd);
	memcpy(o->listener, s->listener, sizeof(s->listener));
	o->listeners = s->listeners;
	o->dropped = s->dropped;
	service_publish(a, o);
}

/* "0.0.0.0:7", and " (web)" behind it unless its service is the only one. */
static const char *
listen_name(const struct service_state *o, const struct listener *l)
{
	static char name[LISTENER_NAME + CONFIG_SERVICE_NAME + 4];
	const char *service = o->service[l->service % SERVICE_NUMBERS];

	if (*service == '\0' || strcmp(service, CONFIG_SERVICE_DEFAULT) == 0)
		return l->name;
	snprintf(name, sizeof(name), "%s (%s)", l->name, service);
	return name;
}

void
listen_drop_syns(const struct service_state *o)
{
	const struct listen_state s = listen_save(o);

	for (unsigned i = s.listeners; i < s.listeners + s.dropped; i++)
		/* A socket that was passed belongs to its giver, too: its
		 * settings stay. */
		if ((s.listener[i].flags & LISTENER_PASSED) == 0 &&
		    listener_drop_syns(s.listener[i].fd) == -1)
			log_warn("%s: clients that come now may be reset",
			    s.listener[i].name);
}

void
listen_drop(const struct arena *a, struct service_state *o)
{
	const struct listen_state s = listen_save(o);

	for (unsigned i = s.listeners; i < s.listeners + s.dropped; i++) {
		log_notice("%s is listened on no longer%s",
		    listen_name(o, &s.listener[i]),
		    (s.listener[i].flags & LISTENER_PASSED) != 0
			? ", but the process that passed it keeps it open"
			: "");
		descriptor_close_listener(s.listener[i].fd);
	}
	o->dropped = 0;
	service_publish(a, o);
	atomic_store(&a->header->drop, DROP_NONE);
}

/* The next address of `wanted` that has no listener, from number `i` on, which
 * is moved behind it; NULL if there is none. */
static const struct address *
listen_next_missing(const struct service_state *o,
    const struct addresses *wanted, unsigned *i)
{
	struct listen_state have = listen_save(o);
	char dual[LISTENER_NAME];

	for (; *i < wanted->count; ++*i) {
		const struct address *w = &wanted->address[*i];
		const char *port = strrchr(w->name, ':');
		const struct listener *l;

		if (collect_find(have.listener, have.listeners, w->name) !=
		    NULL)
			continue;
		snprintf(dual, sizeof(dual), "[::]%s", port);
		l = collect_find(have.listener, have.listeners, dual);
		if (strcmp(w->host, "0.0.0.0") != 0 || l == NULL ||
		    (l->flags & LISTENER_DUAL) == 0)
			return &wanted->address[(*i)++];
	}
	return NULL;
}

bool
listen_misses(const struct service_state *o, const struct addresses *wanted)
{
	unsigned i = 0;

	return listen_next_missing(o, wanted, &i) != NULL;
}

bool
listen_missing(const struct service_state *o, const struct config *c,
    const struct addresses *wanted, struct listener *l)
{
	const struct address *w;
	char why[LISTEN_WHY];
	struct collection s = { .addresses = wanted,
		.config = c,
		.why = why,
		.size = sizeof(why) };

	for (unsigned i = 0;
	     (w = listen_next_missing(o, wanted, &i)) != NULL;) {
		memset(l, 0, sizeof(*l));
		strlcpy(l->name, w->name, sizeof(l->name));
		l->service = w->number;
		if (collect_open(&s, l, w) == 0)
			return true;
	}
	return false;
}

/* The kernel cuts the backlog to a value and reports no error. */
static void
listen_report_backlog(const struct config *c)
{
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
	char label[SERVICES_LABEL];
	unsigned most;

	if (f == NULL)
		return;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own int */
	if (fscanf(f, "%u", &most) != 1)
		most = UINT_MAX;
	fclose(f);
	for (unsigned i = 0; i < c->services; i++)
		if (most < c->service[i].tcp_backlog)
			log_warnx("%s %u: the kernel allows %u "
				  "(net.core.somaxconn)",
			    services_label(label, sizeof(label), &c->service[i],
				"tcp-backlog"),
			    c->service[i].tcp_backlog, most);
}

void
listen_report(const struct service_state *o, const struct config *c,
    const struct addresses *wanted)
{
	const struct address *w;
	const struct listener *l = o->listener;

	inherit_report();
	for (unsigned i = 0; i < wanted->remarks; i++)
		log_notice("%s", wanted->remark[i]);
	for (unsigned i = 0; i < o->listeners; i++)
		if ((l[i].flags & LISTENER_ABSENT) != 0)
			log_notice("bind %s: " LISTEN_SKIPPED, l[i].name);
	for (unsigned i = 0; (w = listen_next_missing(o, wanted, &i)) != NULL;)
		log_notice("bind %s: " LISTEN_SKIPPED, w->name);
	listen_report_backlog(c);
}

const char *
listen_names(const struct service_state *o)
{
	static char names[ARENA_LISTENERS_MAX *
	    (sizeof(struct listener) + CONFIG_SERVICE_NAME)];
	const struct listener *l = o->listener;

	names[0] = '\0';
	for (unsigned i = 0; i < o->listeners; i++) {
		if ((l[i].flags & LISTENER_ABSENT) != 0)
			continue;
		strlcat(names, names[0] != '\0' ? " " : "", sizeof(names));
		strlcat(names, listen_name(o, &l[i]), sizeof(names));
	}
	return names;
}

void
listen_announce(const struct service_state *o)
{
	title_set("master [%s]", listen_names(o));
}
