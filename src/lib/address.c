/* SPDX-License-Identifier: ISC */
/*
 * One spelling for each address, as text and as bytes.
 */
#include "lib/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

/* What comes before an embedded IPv4 address: ::ffff:0:0/96 and
 * 64:ff9b::/96. */
#define PREFIX_BYTES (ADDRESS_EMBEDDED / 8)

static const uint8_t address_prefixes[][PREFIX_BYTES] = {
	{ [10] = 0xff, [11] = 0xff },
	{ 0x00, 0x64, 0xff, 0x9b },
};

static bool
address_embeds(const uint8_t *address)
{
	const size_t n = sizeof(address_prefixes) / sizeof(address_prefixes[0]);

	for (size_t i = 0; i < n; i++)
		if (memcmp(address, address_prefixes[i], PREFIX_BYTES) == 0)
			return true;
	return false;
}

int
address_normalize(int family, uint8_t address[16])
{
	if (family != AF_INET6 || !address_embeds(address))
		return family;
	memmove(address, address + PREFIX_BYTES, 4);
	memset(address + 4, 0, 12);
	return AF_INET;
}

static enum address_kind
address_print_in(const void *address, char *spelled, size_t size)
{
	return inet_ntop(AF_INET, address, spelled, (socklen_t)size) != NULL
	    ? ADDRESS_NUMERIC
	    : ADDRESS_NONE;
}

static bool
address_is_link_local(const struct in6_addr *in6)
{
	return IN6_IS_ADDR_LINKLOCAL(in6) || IN6_IS_ADDR_MC_LINKLOCAL(in6);
}

/* `scope` is the interface's name, or NULL. */
static enum address_kind
address_print_in6(const struct in6_addr *in6, const char *scope, char *spelled,
    size_t size)
{
	if (IN6_IS_ADDR_V4MAPPED(in6))
		return scope != NULL
		    ? ADDRESS_NONE
		    : address_print_in(&in6->s6_addr[12], spelled, size);
	if (inet_ntop(AF_INET6, in6, spelled, (socklen_t)size) == NULL)
		return ADDRESS_NONE;
	if (scope == NULL)
		return ADDRESS_NUMERIC;
	strlcat(spelled, "%", size);
	return strlcat(spelled, scope, size) < size ? ADDRESS_NUMERIC
						    : ADDRESS_NONE;
}

static enum address_kind
address_spell_in6(const char *text, char *spelled, size_t size)
{
	char copy[ADDRESS_SIZE], name[IF_NAMESIZE], *scope;
	const char *reason;
	struct in6_addr in6;
	unsigned number;

	if (strlcpy(copy, text, sizeof(copy)) >= sizeof(copy))
		return ADDRESS_NONE;
	scope = strchr(copy, '%');
	if (scope != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, copy, &in6) != 1)
		return ADDRESS_NONE;
	if (scope == NULL)
		return address_print_in6(&in6, NULL, spelled, size);
	/* The rules of the kernel (dev_valid_name()), and no character that
	 * needs quotes. */
	if (!address_is_link_local(&in6) || *scope == '\0' ||
	    strlen(scope) >= IF_NAMESIZE || strpbrk(scope, "/:%\"\\<>&"))
		return ADDRESS_NONE;
	number = (unsigned)strtonum(scope, 1, INT32_MAX, &reason);
	if (if_nametoindex(scope) == 0 && reason == NULL &&
	    if_indextoname(number, name) != NULL)
		scope = name;
	return address_print_in6(&in6, scope, spelled, size);
}

/* Host names by RFC 1123, 2.1; "_" is common and accepted, too.  A text that
 * inet_aton(3) reads as an address ("1", "0x7f.1") is not a name. */
static bool
address_may_be_name(const char *text)
{
	size_t label = 0, len = strlen(text);
	const char *last = text;
	struct in_addr in;

	if (len >= ADDRESS_NAME_SIZE || inet_aton(text, &in) != 0)
		return false;
	for (const char *s = text; *s != '\0'; s++) {
		if (*s == '.') {
			if (label == 0 || s[-1] == '-')
				return false;
			if (s[1] != '\0')
				last = s + 1;
			label = 0;
			continue;
		}
		if (!isascii((unsigned char)*s) ||
		    (*s != '_' && *s != '-' && !isalnum((unsigned char)*s)) ||
		    (*s == '-' && label == 0) || ++label > 63)
			return false;
	}
	/* A top-level domain has a letter: 300.1.1.1 is a mistake. */
	return len > 0 && text[len - 1] != '-' &&
	    strspn(last, "0123456789.") < strlen(last);
}

enum address_kind
address_spell(const char *text, char *spelled, size_t size)
{
	struct in_addr in;

	if (strchr(text, ':') != NULL)
		return address_spell_in6(text, spelled, size);
	if (inet_pton(AF_INET, text, &in) == 1)
		return address_print_in(&in, spelled, size);
	if (!address_may_be_name(text))
		return ADDRESS_NONE;
	return strlcpy(spelled, text, size) < size ? ADDRESS_NAME
						   : ADDRESS_NONE;
}

void
address_print(const struct sockaddr_storage *ss, char *spelled, size_t size)
{
	const struct sockaddr_in6 *sin6 = (const void *)ss;
	const struct sockaddr_in *sin = (const void *)ss;
	char name[IF_NAMESIZE];
	enum address_kind kind = ADDRESS_NONE;

	if (ss->ss_family == AF_INET)
		kind = address_print_in(&sin->sin_addr, spelled, size);
	else if (ss->ss_family == AF_INET6)
		kind = address_print_in6(&sin6->sin6_addr,
		    sin6->sin6_scope_id != 0 &&
			    address_is_link_local(&sin6->sin6_addr)
			? if_indextoname(sin6->sin6_scope_id, name)
			: NULL,
		    spelled, size);
	if (kind == ADDRESS_NONE)
		*spelled = '\0';
}

/* Fills in everything but the port. */
static socklen_t
address_fill_in6(struct sockaddr_in6 *sin6, const char *spelled)
{
	char copy[ADDRESS_SIZE], *scope;
	const char *reason;

	strlcpy(copy, spelled, sizeof(copy));
	scope = strchr(copy, '%');
	if (scope != NULL)
		*scope++ = '\0';
	sin6->sin6_family = AF_INET6;
	errno = EINVAL;
	if (inet_pton(AF_INET6, copy, &sin6->sin6_addr) != 1)
		return 0;
	if (scope == NULL)
		return sizeof(*sin6);
	sin6->sin6_scope_id = if_nametoindex(scope);
	if (sin6->sin6_scope_id == 0)
		sin6->sin6_scope_id = (uint32_t)strtonum(scope, 1, INT32_MAX,
		    &reason);
	errno = ENODEV;
	return sin6->sin6_scope_id != 0 ? sizeof(*sin6) : 0;
}

socklen_t
address_fill(struct sockaddr_storage *ss, const char *spelled, unsigned port)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	/* The port is at the same place in both. */
	sin->sin_port = htons((uint16_t)port);
	if (strchr(spelled, ':') != NULL)
		return address_fill_in6(sin6, spelled);
	sin->sin_family = AF_INET;
	errno = EINVAL;
	return inet_pton(AF_INET, spelled, &sin->sin_addr) == 1 ? sizeof(*sin)
								: 0;
}

bool
address_is_absent(int error)
{
	return error == EADDRNOTAVAIL || error == EAFNOSUPPORT ||
	    error == EPROTONOSUPPORT || error == EPROTO ||
	    error == ENOPROTOOPT || error == ENODEV;
}

bool
address_is_here(const struct sockaddr_storage *ss, socklen_t len)
{
	int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool here;

	if (fd == -1)
		return !address_is_absent(errno);
	here = bind(fd, (const struct sockaddr *)ss, len) == 0 ||
	    !address_is_absent(errno);
	close(fd);
	return here;
}
