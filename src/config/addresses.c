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
addresses_resolve(struct resolved *r, const char *name, char *why, size_t size)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	unsigned found = 0;
	int error = getaddrinfo(name, NULL, &hints, &list);

	if (error != 0) {
		snprintf(why, size, "bind: %s: %s", name,
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
			snprintf(why, size, "bind: %s: more than %d addresses",
			    name, CONFIG_BIND_MAX);
			freeaddrinfo(list);
			return -1;
		}
	}
	freeaddrinfo(list);
	if (found == 0)
		snprintf(why, size, "bind: %s: no IPv4 or IPv6 address", name);
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

/* Returns 0, or -1 with a reason in `why`. */
static int
addresses_add(struct addresses *a, const char *host, const struct config *c,
    unsigned given, char *why, size_t size)
{
	const struct bind_address *b = &c->service[0].bind.address[given];
	struct address *new = &a->address[a->count];
	char origin[ADDRESS_SIZE + ADDRESS_NAME_SIZE + 4];

	for (unsigned i = 0; i < a->count; i++) {
		struct address *old = &a->address[i];

		if (strcmp(old->host, host) != 0)
			continue;
		if ((old->given & 1U << given) == 0)
			addresses_remark(a,
			    "bind: %s is given twice; one listener is enough",
			    addresses_origin(origin, sizeof(origin), host, b));
		old->given |= 1U << given;
		old->required |= !b->optional && !b->named;
		return 0;
	}
	if (a->count == CONFIG_BIND_MAX) {
		snprintf(why, size, "bind: %s: more than %d addresses", b->host,
		    CONFIG_BIND_MAX);
		return -1;
	}
	strlcpy(new->host, host, sizeof(new->host));
	addresses_name(new->name, sizeof(new->name), host, c->service[0].port);
	new->given = 1U << given;
	new->required = !b->optional && !b->named;
	a->count++;
	return 0;
}

/* Returns 0, or -1 with a reason in `why`. */
static int
addresses_add_name(struct addresses *a, const struct config *c, unsigned given,
    const struct resolved *known, char *why, size_t size)
{
	const struct bind_address *b = &c->service[0].bind.address[given];
	struct resolved *r = &a->resolved;
	unsigned first = r->count;

	if (!addresses_recall(r, known, b->host) &&
	    addresses_resolve(r, b->host, why, size) == -1) {
		if (!b->optional || r->count > first)
			return -1;
		addresses_remark(a, "%s; skipped", why);
		return resolved_add(r, b->host, "");
	}
	for (unsigned i = first; i < r->count; i++)
		if (*r->entry[i].host != '\0' &&
		    addresses_add(a, r->entry[i].host, c, given, why, size) ==
			-1)
			return -1;
	return 0;
}

/* Whether `any` is 0.0.0.0 or :: and includes `host`. */
static bool
addresses_includes(const char *any, const char *host)
{
	if (strcmp(any, host) == 0)
		return false;
	return strcmp(any, strchr(host, ':') == NULL ? "0.0.0.0" : "::") == 0;
}

/* Leave out addresses that another one includes: two listeners for the same
 * client would conflict. */
static void
addresses_leave_out(struct addresses *a)
{
	for (unsigned i = 0; i < a->count; i++) {
		struct address *gone = &a->address[i], *any = NULL;

		for (unsigned k = 0; k < a->count && any == NULL; k++)
			if (addresses_includes(a->address[k].host, gone->host))
				any = &a->address[k];
		if (any == NULL)
			continue;
		addresses_remark(a,
		    "bind: %s is included in %s, which serves it", gone->host,
		    any->host);
		any->given |= gone->given;
		any->required |= gone->required;
		memmove(gone, gone + 1, (a->count - i - 1) * sizeof(*gone));
		a->count--;
		i--;
	}
}

int
addresses_find(struct addresses *a, const struct config *c,
    const struct resolved *known, char *why, size_t size)
{
	memset(a, 0, sizeof(*a));
	for (unsigned i = 0; i < c->service[0].bind.count; i++)
		if ((c->service[0].bind.address[i].named
			    ? addresses_add_name(a, c, i, known, why, size)
			    : addresses_add(a,
				  c->service[0].bind.address[i].host, c, i, why,
				  size)) == -1)
			return -1;
	addresses_leave_out(a);
	return 0;
}

void
addresses_dump(const struct config *c, FILE *out)
{
	for (unsigned i = 0; i < c->service[0].bind.count; i++) {
		struct resolved r = { 0 };
		char why[512];

		if (!c->service[0].bind.address[i].named)
			continue;
		if (addresses_resolve(&r, c->service[0].bind.address[i].host,
			why, sizeof(why)) == -1) {
			fprintf(out, "# %s\n", why);
			continue;
		}
		fprintf(out, "# bind: %s is",
		    c->service[0].bind.address[i].host);
		for (unsigned k = 0; k < r.count; k++)
			fprintf(out, " %s", r.entry[k].host);
		fputc('\n', out);
	}
}
