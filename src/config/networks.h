/* SPDX-License-Identifier: ISC */
/*
 * Lists of networks: "192.0.2.0/24 2001:db8::/32 ::1".
 */
#ifndef ECHOD_CONFIG_NETWORKS_H
#define ECHOD_CONFIG_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETWORKS_MAX 64

struct network {
	uint8_t address[16]; /* network order; 4 bytes for AF_INET */
	uint8_t family;	     /* AF_INET, AF_INET6 */
	uint8_t bits;	     /* of the prefix */
};

struct network_list {
	struct network network[NETWORKS_MAX];
	unsigned count;
};

/* Parse a list that is separated by blanks; it may be empty.  A network of
 * IPv4-mapped IPv6 addresses becomes the IPv4 network.  Returns 0, or -1 with a
 * reason in `why` that names the entry. */
int networks_parse(struct network_list *list, const char *text, char *why,
    size_t size);

/* Write the list as networks_parse() reads it. */
void networks_format(const struct network_list *list, char *text, size_t size);

/* Whether the address (4 or 16 bytes, network order, after address_normalize())
 * is in one of the networks. */
bool networks_contain(const struct network_list *list, int family,
    const uint8_t *address);

#endif
