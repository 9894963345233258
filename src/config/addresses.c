/* SPDX-License-Identifier: ISC */
/*
 * The addresses that `bind` means on this machine.
 */
#include "config/addresses.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <string.h>

#include <bsd/string.h>

#include "config/origin.h"
#include "config/services.h"
#include "config/text.h"

void
addresses_name(char *name, size_t size, const char *host, unsigned port)
{
	snprintf(name, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u",
	    host, port);
}

const struct address *
addresses_named(const struct addresses *a, const char *name)
{
	for (unsigned i = 0; i < a->count; i++)
		if (strcmp(a->address[i].name, name) == 0)
			return &a->address[i];
	return NULL;
}

int
resolved_add(struct resolved *r, const char *name, const char *host)
{
	if (r->count == sizeof(r->entry) / sizeof(r->entry[0]) ||
	    strlcpy(r->entry[r->count].name, name, sizeof(r->entry[0].name)) >=
		sizeof(r->entry[0].name) ||
	    strlcpy(r->entry[r->count].host, host, sizeof(r->entry[0].host)) >=
		sizeof(r->entry[0].host))
		return -1;
	r->count++;
	return 0;
}

static void addresses_remark(struct addresses *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
addresses_remark(struct addresses *a, const char *fmt, ...)
{
	va_list ap;

	if (a->remarks == sizeof(a->remark) / sizeof(a->remark[0]))
		return;
	va_start(ap, fmt);
	vsnprintf(a->remark[a->remarks++], sizeof(a->remark[0]), fmt, ap);
	va_end(ap);
}

/* Ask the resolver.  Returns 0, or -1 with a reason in `why`. */
static int
addresses_resolve(struct resolved *r, const char *label, const char *name,
    char *why, size_t size)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	unsigned found = 0;
	int error = getaddrinfo(name, NULL, &hints, &list);

	if (error != 0) {
		snprintf(why, size, "%s: %s: %s", label, name,
		    error == EAI_SYSTEM ? strerror(errno)
					: gai_strerror(error));
		return -1;
	}
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
		char host[ADDRESS_SIZE];

		if (ai->ai_addrlen > sizeof(ss))
			continue;
		memcpy(&ss, ai->ai_addr, ai->ai_addrlen);
		address_print(&ss, host, sizeof(host));
		if (*host == '\0')
			continue;
		found++;
		if (resolved_add(r, name, host) == -1) {
			snprintf(why, size, "%s: %s: more than %d addresses",
			    label, name, CONFIG_BIND_MAX);
			freeaddrinfo(list);
			return -1;
		}
	}
	freeaddrinfo(list);
	if (found == 0)
		snprintf(why, size, "%s: %s: no IPv4 or IPv6 address", label,
		    name);
	return found > 0 ? 0 : -1;
}

/* Copy the known answers for `name`.  Returns false if there are none. */
static bool
addresses_recall(struct resolved *r, const struct resolved *known,
    const char *name)
{
	bool any = false;

	for (unsigned i = 0; known != NULL && i < known->count; i++)
		if (strcmp(known->entry[i].name, name) == 0 &&
		    resolved_add(r, name, known->entry[i].host) == 0)
			any = true;
	return any;
}

/* The address as a message shows it: "::1", or "::1 (localhost)". */
static const char *
addresses_origin(char *text, size_t size, const char *host,
    const struct bind_address *given)
{
	snprintf(text, size, given->named ? "%s (%s)" : "%s", host,
	    given->host);
	return text;
}

/* Whether `any` is 0.0.0.0 or :: and includes `host`. */
static bool
addresses_includes(const char *any, const char *host)
{
	if (strcmp(any, host) == 0)
		return false;
	return strcmp(any, strchr(host, ':') == NULL ? "0.0.0.0" : "::") == 0;
}

/* What `addresses_find()` works with. */
struct search {
	struct addresses *a;
	const struct config *c;
	const struct resolved *known;
	bool names; /* of hosts count, too */
	unsigned service;
	const struct service_config *s; /* that one ... */
	unsigned first;			/* ... and its first address */
	char label[SERVICES_LABEL];	/* "bind", "service web: bind" */
	char *why;
	size_t size;
};

/* "conf:12: service web", where its section or its port is. */
static void
addresses_place(char *text, size_t size, const struct config *c,
    const struct service_config *s)
{
	const struct setting *port = origin_look(c, s, directive_find("port"));
	const struct setting *place = port->origin == ORIGIN_FILE &&
		!port->inherited
	    ? port
	    : &s->section;
	char shown[512];

	if (place->line == 0)
		snprintf(text, size, "service %s", s->name);
	else
		snprintf(text, size, "%s:%u: service %s",
		    text_show(shown, sizeof(shown),
			config_origin_file(c, place), 0),
		    place->line, s->name);
}

/* Check that no other service has `host` with this port.  Returns 0, or -1 with
 * a reason that names both. */
static int
addresses_check_others(struct search *f, const char *host)
{
	char mine[640], theirs[640];

	for (unsigned i = 0; i < f->a->count; i++) {
		const struct address *old = &f->a->address[i];
		const struct service_config *s = &f->c->service[old->service];

		if (old->service == f->service || s->port != f->s->port ||
		    (strcmp(old->host, host) != 0 &&
			!addresses_includes(old->host, host) &&
			!addresses_includes(host, old->host)))
			continue;
		addresses_place(mine, sizeof(mine), f->c, f->s);
		addresses_place(theirs, sizeof(theirs), f->c, s);
		snprintf(f->why, f->size,
		    "%s: %s port %u is that of another service: %s, which has "
		    "%s",
		    mine, host, s->port, theirs, old->host);
		return -1;
	}
	return 0;
}

/* Returns 0, or -1 with a reason. */
static int
addresses_add(struct search *f, const char *host, unsigned given)
{
	struct addresses *a = f->a;
	const struct bind_address *b = &f->s->bind.address[given];
	struct address *new = &a->address[a->count];
	char origin[ADDRESS_SIZE + ADDRESS_NAME_SIZE + 4];

	for (unsigned i = 0; i < a->count; i++) {
		struct address *old = &a->address[i];

		if (old->service != f->service || strcmp(old->host, host) != 0)
			continue;
		if ((old->given & 1U << given) == 0)
			addresses_remark(a,
			    "%s: %s is given twice; one listener is enough",
			    f->label,
			    addresses_origin(origin, sizeof(origin), host, b));
		old->given |= 1U << given;
		old->required |= !b->optional && !b->named;
		return 0;
	}
	if (addresses_check_others(f, host) == -1)
		return -1;
	if (a->count == ADDRESSES_MAX ||
	    a->count - f->first == CONFIG_BIND_MAX) {
		snprintf(f->why, f->size, "%s: %s: more than %d addresses%s",
		    f->label, b->host,
		    a->count == ADDRESSES_MAX ? ADDRESSES_MAX : CONFIG_BIND_MAX,
		    a->count == ADDRESSES_MAX ? " of all services" : "");
		return -1;
	}
	strlcpy(new->host, host, sizeof(new->host));
	addresses_name(new->name, sizeof(new->name), host, f->s->port);
	new->given = 1U << given;
	new->required = !b->optional && !b->named;
	new->service = (uint8_t)f->service;
	a->count++;
	return 0;
}

/* Returns 0, or -1 with a reason. */
static int
addresses_add_name(struct search *f, unsigned given)
{
	const struct bind_address *b = &f->s->bind.address[given];
	struct resolved *r = &f->a->resolved;
	unsigned first = r->count;

	if (!addresses_recall(r, f->known, b->host) &&
	    addresses_resolve(r, f->label, b->host, f->why, f->size) == -1) {
		if (!b->optional || r->count > first)
			return -1;
		addresses_remark(f->a, "%s; skipped", f->why);
		return resolved_add(r, b->host, "");
	}
	for (unsigned i = first; i < r->count; i++)
		if (*r->entry[i].host != '\0' &&
		    addresses_add(f, r->entry[i].host, given) == -1)
			return -1;
	return 0;
}

/* Leave out addresses of the service that another one includes: two listeners
 * for the same client would conflict. */
static void
addresses_leave_out(struct search *f)
{
	struct addresses *a = f->a;

	for (unsigned i = f->first; i < a->count; i++) {
		struct address *gone = &a->address[i], *any = NULL;

		for (unsigned k = f->first; k < a->count && any == NULL; k++)
			if (addresses_includes(a->address[k].host, gone->host))
				any = &a->address[k];
		if (any == NULL)
			continue;
		addresses_remark(a, "%s: %s is included in %s, which serves it",
		    f->label, gone->host, any->host);
		any->given |= gone->given;
		any->required |= gone->required;
		memmove(gone, gone + 1, (a->count - i - 1) * sizeof(*gone));
		a->count--;
		i--;
	}
}

/* Returns 0, or -1 with a reason. */
static int
addresses_find_service(struct search *f)
{
	const struct bind_list *list = &f->s->bind;

	f->first = f->a->count;
	for (unsigned i = 0; i < list->count; i++)
		if (list->address[i].named) {
			if (f->names && addresses_add_name(f, i) == -1)
				return -1;
		} else if (addresses_add(f, list->address[i].host, i) == -1)
			return -1;
	addresses_leave_out(f);
	return 0;
}

/* Returns 0, or -1 with a reason. */
static int
addresses_find_all(struct search *f)
{
	memset(f->a, 0, sizeof(*f->a));
	for (f->service = 0; f->service < f->c->services; f->service++) {
		f->s = &f->c->service[f->service];
		services_label(f->label, sizeof(f->label), f->s, "bind");
		if (addresses_find_service(f) == -1)
			return -1;
	}
	return 0;
}

int
addresses_find(struct addresses *a, const struct config *c,
    const struct resolved *known, char *why, size_t size)
{
	struct search f = { .a = a,
		.c = c,
		.known = known,
		.names = true,
		.why = why,
		.size = size };

	return addresses_find_all(&f);
}

int
addresses_check(const struct config *c, char *why, size_t size)
{
	static struct addresses a;
	struct search f = { .a = &a, .c = c, .why = why, .size = size };

	return addresses_find_all(&f);
}

static void
addresses_dump_name(const char *label, const char *name, FILE *out)
{
	struct resolved r = { 0 };
	char why[512];

	if (addresses_resolve(&r, label, name, why, sizeof(why)) == -1) {
		fprintf(out, "# %s\n", why);
		return;
	}
	fprintf(out, "# %s: %s is", label, name);
	for (unsigned k = 0; k < r.count; k++)
		fprintf(out, " %s", r.entry[k].host);
	fputc('\n', out);
}

void
addresses_dump(const struct config *c, FILE *out)
{
	char label[SERVICES_LABEL];

	for (unsigned k = 0; k < c->services; k++) {
		const struct bind_list *list = &c->service[k].bind;

		services_label(label, sizeof(label), &c->service[k], "bind");
		for (unsigned i = 0; i < list->count; i++)
			if (list->address[i].named)
				addresses_dump_name(label,
				    list->address[i].host, out);
	}
}
