/* SPDX-License-Identifier: ISC */
/*
 * One spelling for each address.
 *
 * An IPv4 client may come as one of IPv6: through a listener of both families
 * or a dual-stack balancer as ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2), through a
 * translator as 64:ff9b::192.0.2.1 (NAT64 and SIIT, RFC 6052).  It is the same
 * client.  Rules, counts, lists and logs know it by its IPv4 address only.
 *
 * Not so 64:ff9b:1::/48 (RFC 8215), where each site puts the IPv4 address
 * where it likes, nor ::192.0.2.1, which has been given up (RFC 4291, 2.5.5.1)
 * and which ::1 looks like.
 */
#ifndef ECHOD_LIB_ADDRESS_H
#define ECHOD_LIB_ADDRESS_H

#include <stdint.h>

/* Bits of an IPv6 address before the IPv4 address in it. */
#define ADDRESS_EMBEDDED 96

/* Give the address (4 or 16 bytes, network order) its one spelling; bytes
 * that it does not need become 0.  Returns its family then. */
int address_normalize(int family, uint8_t address[16]);

#endif
