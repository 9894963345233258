/* SPDX-License-Identifier: ISC */
/*
 * One spelling for each address.
 */
#ifndef ECHOD_CONFIG_ADDRESS_H
#define ECHOD_CONFIG_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

/* The longest host name (RFC 1035, 2.3.4), and an address with the name of an
 * interface behind it, each with a NUL. */
#define ADDRESS_NAME_SIZE 254
#define ADDRESS_SIZE 64

enum address_kind {
	ADDRESS_NUMERIC, /* IPv4 or IPv6 */
	ADDRESS_NAME,	 /* may be a host's name: not asked for yet */
	ADDRESS_NONE
};

/*
 * What kind of address `text` is.  The one spelling of a numeric one, which is
 * inet_ntop(3)'s, is stored in `spelled`: two that are equal are the same
 * address.  An IPv4 address mapped to IPv6 (::ffff:192.0.2.1, RFC 4291) is the
 * IPv4 one.  A link-local IPv6 address can name its interface (fe80::1%eth0),
 * which need not be there.  A name stays as it is.
 */
enum address_kind address_spell(const char *text, char *spelled, size_t size);

/* The same of an address of the system's; "" if it is of another family. */
void address_print(const struct sockaddr_storage *ss, char *spelled,
    size_t size);

/*
 * For bind(2) and connect(2), from a numeric one spelled as above.  Returns
 * the length, or 0 with errno ENODEV if its interface is not there (or is no
 * number of one), EINVAL if it is no numeric address.
 */
socklen_t address_fill(struct sockaddr_storage *ss, const char *spelled,
    unsigned port);

#endif
