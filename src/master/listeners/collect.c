/* SPDX-License-Identifier: ISC */
/*
 * The listeners that are wanted.
 */
#include "master/listeners/collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "config/services.h"
#include "master/listeners/inherit.h"
#include "master/listeners/listener.h"

struct listener *
collect_find(struct listener *l, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(l[i].name, name) == 0)
			return &l[i];
	return NULL;
}

/* True if listeners of these two names exclude each other although they differ:
 * 0.0.0.0 and another address with the same port, and likewise [::]. */
static bool
collect_excludes(const char *a, const char *b)
{
	const char *a_port = strrchr(a, ':'), *b_port = strrchr(b, ':');

	if (a_port == NULL || b_port == NULL || strcmp(a_port, b_port) != 0 ||
	    (*a == '[') != (*b == '['))
		return false;
	return strncmp(a, "0.0.0.0:", 8) == 0 ||
	    strncmp(b, "0.0.0.0:", 8) == 0 || strncmp(a, "[::]:", 5) == 0 ||
	    strncmp(b, "[::]:", 5) == 0;
}

/* Two such listeners can share the port if both have the option for it, which
 * may be set while a socket listens.  Returns true if a listener of ours may be
 * in the way of `name`; with others' sockets no port is shared. */
static bool
collect_share(const struct listener *l, unsigned n, const char *name)
{
	bool any = false;

	for (unsigned i = 0; i < n; i++)
		/* The check has only names; the service has shared the
		 * ports (listen_share()). */
		if (collect_excludes(l[i].name, name) &&
		    (l[i].fd == -1 || listener_share(l[i].fd, true) == 0))
			any = true;
	return any;
}

int
collect_open(struct collection *s, struct listener *l, const struct address *a)
{
	const struct service_config *c = &s->config->service[a->service];
	unsigned how = s->how;
	const char *call;
	int error;

	for (;;) {
		l->fd = listener_open(a, c, how, &call);
		if (l->fd != -1)
			return 0;
		if (errno == EADDRINUSE && (how & OPEN_SHARED) == 0 &&
		    collect_share(s->old, s->olds, a->name))
			how |= OPEN_SHARED;
		else if (errno == EADDRNOTAVAIL && !a->required &&
		    (how & OPEN_EARLY) == 0) {
			how |= OPEN_EARLY;
			l->flags |= LISTENER_ABSENT;
		} else
			break;
	}
	if (!a->required && address_is_absent(errno))
		return 1;
	error = errno;
	listener_reason(s->why, s->size, call, l->name, error, c);
	return s->used_is_fine && error == EADDRINUSE ? 0 : -1;
}

/* True if `a` is 0.0.0.0 and a listener for [::] that is open or was passed
 * takes IPv4 clients, too; both are of one service. */
static bool
collect_is_served(struct collection *s, const struct address *a)
{
	char name[LISTENER_NAME];
	const struct address *dual;
	const struct listener *l;
	uint32_t flags = 0;
	int fd;

	addresses_name(name, sizeof(name),
	    "::", s->config->service[a->service].port);
	dual = addresses_named(s->addresses, name);
	if (strcmp(a->host, "0.0.0.0") != 0 || dual == NULL ||
	    dual->service != a->service)
		return false;
	if ((l = collect_find(s->old, s->olds, name)) != NULL ||
	    (l = collect_find(s->wanted, s->count, name)) != NULL)
		return (l->flags & LISTENER_DUAL) != 0;
	fd = s->how != 0 ? -1 : inherit_take(s->addresses, name, &flags);
	if (fd == -1)
		return false;
	/* Keep it as if it had been open before. */
	s->old[s->olds].fd = fd;
	s->old[s->olds].flags = flags;
	strlcpy(s->old[s->olds++].name, name, sizeof(name));
	return (flags & LISTENER_DUAL) != 0;
}

/* Get a listener for `a`.  Returns 0, or -1 with a reason. */
static int
collect_one(struct collection *s, const struct address *a)
{
	struct listener *l = &s->wanted[s->count], *kept;
	int r = 0;

	kept = collect_find(s->old, s->olds, a->name);
	if (kept != NULL) {
		*l = *kept;
		l->service = a->number;
		*kept = s->old[--s->olds];
		s->there[a->service] |= a->given;
		s->opened[s->count++] = false;
		return 0;
	}
	if (collect_is_served(s, a)) {
		s->there[a->service] |= a->given;
		return 0;
	}
	memset(l, 0, sizeof(*l));
	strlcpy(l->name, a->name, sizeof(l->name));
	l->service = a->number;
	l->fd = s->how != 0 ? -1
			    : inherit_take(s->addresses, l->name, &l->flags);
	if (l->fd == -1)
		r = collect_open(s, l, a);
	if (r != 0)
		return r == -1 ? -1 : 0;
	if ((l->flags & LISTENER_ABSENT) == 0)
		s->there[a->service] |= a->given;
	s->opened[s->count++] = true;
	return 0;
}

/* Why an address of the service is not wanted, or NULL. */
static const char *
collect_remark(const struct collection *s, const char *label)
{
	for (unsigned i = 0; i < s->addresses->remarks; i++)
		if (strncmp(s->addresses->remark[i], label, strlen(label)) == 0)
			return s->addresses->remark[i];
	return NULL;
}

static bool
collect_has_address(const struct collection *s, unsigned service)
{
	for (unsigned i = 0; i < s->addresses->count; i++)
		if (s->addresses->address[i].service == service)
			return true;
	return false;
}

/* For each name one of its addresses must be here; in all, at least one address
 * of each service must be.  Returns 0, or -1 with a reason. */
static int
collect_result(struct collection *s, unsigned service)
{
	const struct service_config *c = &s->config->service[service];
	const struct bind_list *list = &c->bind;
	char label[SERVICES_LABEL];
	const char *remark;

	services_label(label, sizeof(label), c, "bind");
	for (unsigned i = 0; i < list->count; i++)
		if (!list->address[i].optional &&
		    (s->there[service] & 1U << i) == 0) {
			snprintf(s->why, s->size,
			    "%s: %s: this machine has none of its addresses",
			    label, list->address[i].host);
			return -1;
		}
	if (s->there[service] != 0)
		return 0;
	remark = collect_remark(s, label);
	if (!collect_has_address(s, service) && remark != NULL)
		snprintf(s->why, s->size, "%s, and nothing is left", remark);
	else
		snprintf(s->why, s->size,
		    "%s: none of the %u addresses is available", label,
		    list->count);
	return -1;
}

int
collect_all(struct collection *s)
{
	int r = 0;

	for (unsigned i = 0; i < s->addresses->count && r == 0; i++)
		r = collect_one(s, &s->addresses->address[i]);
	for (unsigned i = 0; i < s->config->services && r == 0; i++)
		r = collect_result(s, i);
	for (unsigned i = 0; i < s->count && r == -1; i++)
		if (s->opened[i] && s->wanted[i].fd != -1)
			close(s->wanted[i].fd);
	return r;
}
