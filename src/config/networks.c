/* SPDX-License-Identifier: ISC */
/*
 * Lists of networks.
 */
#include "config/networks.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "lib/address.h"

/* More than a list of NETWORKS_MAX entries needs. */
#define LIST_BYTES 4096

static bool
networks_bit(const uint8_t *address, unsigned i)
{
	return (address[i / 8] >> (7 - i % 8) & 1) != 0;
}

static unsigned
networks_width(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* True if a bit is set behind the prefix, which is most likely a mistake. */
static bool
networks_has_host_bits(const struct network *n)
{
	for (unsigned i = n->bits; i < networks_width(n->family); i++)
		if (networks_bit(n->address, i))
			return true;
	return false;
}

/* Turn an IPv6 network that only embeds IPv4 addresses into the IPv4 network,
 * since clients are known by their IPv4 address (lib/address.h).  A larger
 * network stays an IPv6 one. */
static void
networks_normalize(struct network *n)
{
	if (n->bits < ADDRESS_EMBEDDED || n->family != AF_INET6)
		return;
	n->family = (uint8_t)address_normalize(n->family, n->address);
	if (n->family == AF_INET)
		n->bits -= ADDRESS_EMBEDDED;
}

static int
networks_parse_one(struct network *n, char *word, char *why, size_t size)
{
	char *slash = strchr(word, '/');
	const char *reason = NULL;

	if (slash != NULL)
		*slash++ = '\0';
	n->family = strchr(word, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(n->family, word, n->address) != 1) {
		snprintf(why, size, "\"%.64s\" is not an IPv4 or IPv6 address",
		    word);
		return -1;
	}
	n->bits = (uint8_t)networks_width(n->family);
	if (slash == NULL)
		return 0;
	n->bits = (uint8_t)strtonum(slash, 0, networks_width(n->family),
	    &reason);
	if (reason != NULL || *slash < '0' || *slash > '9') {
		snprintf(why, size,
		    "\"%.64s/%.16s\": the prefix is not 0 to %u", word, slash,
		    networks_width(n->family));
		return -1;
	}
	if (networks_has_host_bits(n)) {
		snprintf(why, size, "\"%.64s/%u\" has bits behind its prefix",
		    word, n->bits);
		return -1;
	}
	return 0;
}

int
networks_parse(struct network_list *list, const char *text, char *why,
    size_t size)
{
	char copy[LIST_BYTES], *rest = copy, *word;

	memset(list, 0, sizeof(*list));
	if (strlcpy(copy, text, sizeof(copy)) >= sizeof(copy)) {
		snprintf(why, size, "the list is longer than %zu bytes",
		    sizeof(copy) - 1);
		return -1;
	}
	while ((word = strsep(&rest, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (list->count == NETWORKS_MAX) {
			snprintf(why, size, "more than %d networks",
			    NETWORKS_MAX);
			return -1;
		}
		if (networks_parse_one(&list->network[list->count], word, why,
			size) == -1)
			return -1;
		networks_normalize(&list->network[list->count]);
		list->count++;
	}
	return 0;
}

void
networks_format(const struct network_list *list, char *text, size_t size)
{
	text[0] = '\0';
	for (unsigned i = 0; i < list->count; i++) {
		const struct network *n = &list->network[i];
		char address[INET6_ADDRSTRLEN], entry[INET6_ADDRSTRLEN + 8];

		if (inet_ntop(n->family, n->address, address,
			sizeof(address)) == NULL)
			continue;
		snprintf(entry, sizeof(entry),
		    n->bits == networks_width(n->family) ? "%s%s" : "%s%s/%u",
		    i > 0 ? " " : "", address, n->bits);
		strlcat(text, entry, size);
	}
}

static bool
networks_contains(const struct network *n, const uint8_t *address)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(n->address, address, whole) != 0)
		return false;
	return rest == 0 ||
	    (n->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool
networks_contain(const struct network_list *list, int family,
    const uint8_t *address)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->network[i].family == family &&
		    networks_contains(&list->network[i], address))
			return true;
	return false;
}
