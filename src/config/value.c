/* SPDX-License-Identifier: ISC */
/*
 * Between the text of a directive's value and the value in struct config.  The
 * conversion is strict: a text that is only partly right is refused.
 */
#include "config/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "config/memory_size.h"
#include "config/text.h"
#include "lib/address.h"

static int
value_set_number(unsigned *value, const struct directive *d, unsigned min,
    const char *text, char *why, size_t size)
{
	const char *reason;
	long long n;

	/* strtonum(3) accepts " 7", "+7" and "007". */
	if (!isdigit((unsigned char)text[0]) ||
	    (text[0] == '0' && text[1] != '\0')) {
		snprintf(why, size,
		    "\"%.64s\" is not a plain decimal number (%s%u to %u)",
		    text, d->type == TYPE_AUTO ? "auto or " : "", min, d->max);
		return -1;
	}
	n = strtonum(text, min, d->max, &reason);
	if (reason != NULL) {
		snprintf(why, size, "\"%.64s\" is %s (%u to %u)", text, reason,
		    min, d->max);
		return -1;
	}
	*value = (unsigned)n;
	return 0;
}

static int
value_set_bool(unsigned *value, const char *text, char *why, size_t size)
{
	if (strcasecmp(text, "yes") == 0)
		*value = 1;
	else if (strcasecmp(text, "no") == 0)
		*value = 0;
	else {
		snprintf(why, size, "\"%.64s\" is neither yes nor no", text);
		return -1;
	}
	return 0;
}

static int
value_set_choice(unsigned *value, const struct directive *d, const char *text,
    char *why, size_t size)
{
	for (const struct choice *o = d->choices; o->name != NULL; o++)
		if (strcasecmp(o->name, text) == 0) {
			*value = o->value;
			return 0;
		}
	snprintf(why, size, "\"%.64s\" is none of", text);
	for (const struct choice *o = d->choices; o->name != NULL; o++) {
		strlcat(why, o == d->choices ? " " : ", ", size);
		strlcat(why, o->name, size);
	}
	return -1;
}

/* Check that a file can contain `text`, so that the dump can.  Returns 0, or -1
 * with a reason in `why`. */
static int
value_check_written(const char *text, char *why, size_t size)
{
	/* U+2018 to U+201F, the quotes of word processors. */
	if (strncmp(text, "\xe2\x80", 2) == 0 &&
	    (unsigned char)text[2] - 0x98u < 8) {
		snprintf(why, size,
		    "begins with \\xe2\\x80\\x%02x, which is "
		    "not a quote here; use \" or '",
		    (unsigned char)text[2]);
		return -1;
	}
	if (text_quotes(text) == NULL) {
		snprintf(why, size,
		    "has quotes of both kinds, or a backslash, "
		    "and would need quotes around it");
		return -1;
	}
	return 0;
}

static int
value_set_string(char *value, size_t room, const char *text, char *why,
    size_t size)
{
	char shown[52];

	if (room > CONFIG_VALUE_BYTES)
		room = CONFIG_VALUE_BYTES;
	if (value_check_written(text, why, size) == -1)
		return -1;
	if (strlcpy(value, text, room) >= room) {
		snprintf(why, size, "\"%s\" is longer than %zu bytes",
		    text_show(shown, sizeof(shown), text, 0), room - 1);
		return -1;
	}
	return 0;
}

/* The first `$` that a shell would expand, or NULL. */
static const char *
value_shell_variable(const char *path)
{
	for (; (path = strchr(path, '$')) != NULL; path++)
		if (isalpha((unsigned char)path[1]) ||
		    strchr("_{(", path[1] != '\0' ? path[1] : '.') != NULL)
			return path;
	return NULL;
}

int
value_check_path(const char *path, char *why, size_t size)
{
	const char *variable = value_shell_variable(path);
	char shown[80];

	text_show(shown, sizeof(shown),
	    path[0] != '~' && variable != NULL ? variable : path, 0);
	if (path[0] == '~')
		snprintf(why, size,
		    "only a shell expands the ~ of \"%s\"; "
		    "give the whole path, or ./~ for a file of that name",
		    shown);
	else if (variable != NULL)
		snprintf(why, size,
		    "only a shell expands \"%s\"; give the whole path", shown);
	else
		return 0;
	return -1;
}

static int
value_path(char *value, const struct directive *d, const char *text, char *why,
    size_t size)
{
	if (value_check_path(text, why, size) == -1)
		return -1;
	/* Redis up to 2.6 calls standard output so. */
	if (strcmp(d->name, "logfile") == 0 && strcmp(text, "stdout") == 0)
		text = "";
	return value_set_string(value, d->size, text, why, size);
}

/* The handlers that need no module. */
static const char *const value_built_in[] = { "echo", "raw", "discard" };

#define BUILT_IN (sizeof(value_built_in) / sizeof(value_built_in[0]))

bool
value_is_built_in(const char *handler)
{
	for (size_t i = 0; i < BUILT_IN; i++)
		if (strcmp(value_built_in[i], handler) == 0)
			return true;
	return false;
}

/* The name of a handler or module, or the path of a module. */
static int
value_set_handler(char *value, const struct directive *d, const char *text,
    char *why, size_t size)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t n = strspn(text, letters);

	if (*text == '/')
		return value_path(value, d, text, why, size);
	/* The built-in ones are known in any letter case. */
	for (size_t i = 0; i < BUILT_IN; i++)
		if (strcasecmp(value_built_in[i], text) == 0)
			text = value_built_in[i];
	if (n == 0 || n > 63 || text[n] != '\0') {
		snprintf(why, size,
		    "\"%.64s\" is neither the name of a handler (A-Z a-z 0-9 "
		    "_ -) nor an absolute path",
		    text);
		return -1;
	}
	strlcpy(value, text, d->size);
	return 0;
}

/* Convert a word of `bind`, with or without "-" before it. */
static int
value_set_bind_word(struct bind_address *a, const char *word, char *why,
    size_t size)
{
	const char *host = *word == '-' ? word + 1 : word;
	enum address_kind kind;

	a->optional = *word == '-';
	if (strcmp(host, "*") == 0)
		host = "0.0.0.0";
	else if (strcmp(host, "::*") == 0)
		host = "::";
	kind = address_spell(host, a->host, sizeof(a->host));
	a->named = kind == ADDRESS_NAME;
	if (kind != ADDRESS_NONE)
		return 0;
	snprintf(why, size,
	    "\"%.64s\" is not an IPv4 or IPv6 address, nor a host name", host);
	return -1;
}

static int
value_set_bind(struct bind_list *list, const char *text, char *why, size_t size)
{
	char copy[2048], *rest = copy, *word;

	memset(list, 0, sizeof(*list));
	if (strlcpy(copy, text, sizeof(copy)) >= sizeof(copy)) {
		snprintf(why, size, "the list is longer than %zu bytes",
		    sizeof(copy) - 1);
		return -1;
	}
	while ((word = strsep(&rest, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (list->count == CONFIG_BIND_MAX) {
			snprintf(why, size, "more than %d addresses",
			    CONFIG_BIND_MAX);
			return -1;
		}
		if (value_set_bind_word(&list->address[list->count++], word,
			why, size) == -1)
			return -1;
	}
	if (list->count == 0) {
		snprintf(why, size, "no address given");
		return -1;
	}
	return 0;
}

/* The characters that a type accepts: only names and paths may have more than
 * ASCII. */
static unsigned
value_flags(enum directive_type type, const char *text)
{
	switch (type) {
	case TYPE_STRING:
	case TYPE_PATH:
		return 0;
	case TYPE_HANDLER:
		return *text == '/' ? 0 : TEXT_ASCII;
	case TYPE_BIND:
	case TYPE_NETWORKS:
		return TEXT_ASCII | TEXT_TABS;
	default:
		return TEXT_ASCII;
	}
}

int
value_set_text(char *value, size_t room, const char *text, char *why,
    size_t size)
{
	if (text_check(text, strlen(text), 0, why, size) == -1)
		return -1;
	return value_set_string(value, room, text, why, size);
}

/* Bytes of a value in memory. */
static size_t
value_size(const struct directive *d)
{
	switch (d->type) {
	case TYPE_STRING:
	case TYPE_PATH:
	case TYPE_HANDLER:
		return d->size;
	case TYPE_BIND:
		return sizeof(struct bind_list);
	case TYPE_NETWORKS:
		return sizeof(struct network_list);
	case TYPE_MEMORY:
		return sizeof(struct memory_size);
	default:
		return sizeof(unsigned);
	}
}

void
value_copy(struct service_config *s, const struct service_config *from,
    const struct directive *d)
{
	memcpy((char *)s + d->offset, (const char *)from + d->offset,
	    value_size(d));
}

int
value_set(struct config *c, struct service_config *s, const struct directive *d,
    const char *text, char *why, size_t size)
{
	void *value = directive_place(c, s, d);

	if (text_check(text, strlen(text), value_flags(d->type, text), why,
		size) == -1)
		return -1;
	switch (d->type) {
	case TYPE_AUTO:
		if (strcasecmp(text, "auto") == 0) {
			*(unsigned *)value = 0;
			return 0;
		}
		/* FALLTHROUGH */
	case TYPE_NUMBER:
		return value_set_number(value, d,
		    d->total && s->name[0] != '\0' ? 0 : d->min, text, why,
		    size);
	case TYPE_BOOL:
		return value_set_bool(value, text, why, size);
	case TYPE_CHOICE:
		return value_set_choice(value, d, text, why, size);
	case TYPE_STRING:
		return value_set_string(value, d->size, text, why, size);
	case TYPE_PATH:
		return value_path(value, d, text, why, size);
	case TYPE_HANDLER:
		return value_set_handler(value, d, text, why, size);
	case TYPE_BIND:
		return value_set_bind(value, text, why, size);
	case TYPE_NETWORKS:
		return networks_parse(value, text, why, size);
	case TYPE_MEMORY:
		return memory_size_parse(value, text, why, size);
	}
	return -1;
}

static void
value_format_bind(const struct bind_list *list, char *text, size_t size)
{
	text[0] = '\0';
	for (unsigned i = 0; i < list->count; i++) {
		if (i > 0)
			strlcat(text, " ", size);
		if (list->address[i].optional)
			strlcat(text, "-", size);
		strlcat(text, list->address[i].host, size);
	}
}

void
value_format(const struct config *c, const struct service_config *s,
    const struct directive *d, char *text, size_t size)
{
	const void *p = (d->service ? (const char *)s : (const char *)c) +
	    d->offset;
	unsigned n = 0;

	if (d->type == TYPE_BIND) {
		value_format_bind(p, text, size);
		return;
	}
	if (d->type == TYPE_NETWORKS) {
		networks_format(p, text, size);
		return;
	}
	if (d->type == TYPE_MEMORY) {
		memory_size_format(p, text, size);
		return;
	}
	if (d->type == TYPE_STRING || d->type == TYPE_PATH ||
	    d->type == TYPE_HANDLER) {
		strlcpy(text, p, size);
		return;
	}
	memcpy(&n, p, sizeof(n));
	if (d->type == TYPE_BOOL)
		strlcpy(text, n != 0 ? "yes" : "no", size);
	else if (d->type == TYPE_AUTO && n == 0)
		strlcpy(text, "auto", size);
	else if (d->type != TYPE_CHOICE)
		snprintf(text, size, "%u", n);
	else
		for (const struct choice *o = d->choices; o->name; o++)
			if (o->value == n)
				strlcpy(text, o->name, size);
}

void
config_defaults(struct config *c)
{
	char why[256];

	memset(c, 0, offsetof(struct config, service));
	for (unsigned i = 0; i < directive_count; i++)
		if (value_set(c, &c->defaults, &directives[i],
			directives[i].initial, why, sizeof(why)) == -1)
			abort(); /* the table contradicts itself */
}
