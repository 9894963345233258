/* SPDX-License-Identifier: ISC */
/*
 * One spelling for each address, as text and as bytes.
 *
 * An IPv4 client may arrive as an IPv6 one: as ::ffff:192.0.2.1 through a
 * listener of both families or a dual-stack balancer (RFC 4291, 2.5.5.2), as
 * 64:ff9b::192.0.2.1 through a translator (NAT64 and SIIT, RFC 6052).  It is
 * the same client.  Rules, counters, lists and logs use its IPv4 address.
 *
 * This does not apply to 64:ff9b:1::/48 (RFC 8215), where each site chooses
 * the place of the IPv4 address, nor to ::192.0.2.1, which is deprecated
 * (RFC 4291, 2.5.5.1) and has the form of ::1.
 */
#ifndef ECHOD_LIB_ADDRESS_H
#define ECHOD_LIB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for the longest host name (RFC 1035, 2.3.4), and for an address with an
 * interface name ("fe80::1%eth0"); both with the NUL. */
#define ADDRESS_NAME_SIZE 254
#define ADDRESS_SIZE 64
/* Room for an address with a port: "[fe80::1%eth0]:6379". */
#define ADDRESS_PORT_SIZE 72

/* Bits of an IPv6 address before the IPv4 address that it embeds. */
#define ADDRESS_EMBEDDED 96

enum address_kind {
	ADDRESS_NUMERIC, /* IPv4 or IPv6 */
	ADDRESS_NAME,	 /* possibly a host name; it was not resolved */
	ADDRESS_NONE
};

/* Replace an IPv6 address that embeds an IPv4 address by that.  `address` is 4
 * or 16 bytes in network order; unused bytes become 0.  Returns the family of
 * the result. */
int address_normalize(int family, uint8_t address[16]);

/*
 * Tell which kind of address `text` is.  A numeric address is stored in
 * `spelled` as inet_ntop(3) writes it, so that two equal addresses are equal
 * strings; an IPv4-mapped IPv6 address becomes the IPv4 address.  A link-local
 * IPv6 address may name its interface (fe80::1%eth0), which need not exist.  A
 * name is stored unchanged.
 */
enum address_kind address_spell(const char *text, char *spelled, size_t size);

/* Spell the address of a socket; "" if it is neither IPv4 nor IPv6. */
void address_print(const struct sockaddr_storage *ss, char *spelled,
    size_t size);

/*
 * Fill `ss` for bind(2) and connect(2) from a numeric address in the spelling
 * above.  Returns its length, or 0 with errno set: ENODEV if there is no such
 * interface, EINVAL if the address is not numeric.
 */
socklen_t address_fill(struct sockaddr_storage *ss, const char *spelled,
    unsigned port);

/* Whether this machine has the address, which is asked by bind(2).  The port
 * must be 0.  An error that says nothing about the address counts as yes. */
bool address_is_here(const struct sockaddr_storage *ss, socklen_t len);

/* True if the errno of socket(2) or bind(2) means that the machine does not
 * have the address or its family.  EADDRINUSE does not. */
bool address_is_absent(int error);

#endif
