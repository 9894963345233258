/* SPDX-License-Identifier: ISC */
/*
 * One spelling for each address.
 */
#include "lib/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

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
