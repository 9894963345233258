/* SPDX-License-Identifier: ISC */
/*
 * The addresses that `bind` means on this machine.  The test, the start, a
 * reload and the commands that ask the service all use this answer.
 */
#ifndef ECHOD_CONFIG_ADDRESSES_H
#define ECHOD_CONFIG_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config.h"
#include "lib/address.h"

/* Addresses of all services together. */
#define ADDRESSES_MAX 64

/* The answers of the resolver.  The check of a reload records them, so that the
 * new program asks no resolver while no client is served, and gets the same
 * answers. */
struct resolved {
	unsigned count;
	struct {
		char name[ADDRESS_NAME_SIZE];
		char host[ADDRESS_SIZE]; /* "": the name has no address */
	} entry[2 * ADDRESSES_MAX];
};

/* One address to listen on. */
struct address {
	char host[ADDRESS_SIZE];      /* as address_spell() writes it */
	char name[ADDRESS_PORT_SIZE]; /* of its listener: "[::1]:6379" */
	uint32_t given;		      /* bit i: by bind.address[i] */
	bool required;		      /* an error if it is not available */
	uint8_t service;	      /* config.service[] */
	uint8_t number;		      /* of the service; the owner sets it */
};

struct addresses {
	struct address address[ADDRESSES_MAX];
	unsigned count;
	struct resolved resolved;
	/* The addresses that were left out, with the reason, for the log. */
	char remark[ADDRESSES_MAX][448];
	unsigned remarks;
};

/*
 * Fill `a` from `bind` and `port` of each service.  Names are looked up in
 * `known` (may be NULL) and otherwise resolved.  Duplicate addresses of a
 * service, in any spelling, are merged, and an address that its 0.0.0.0 or ::
 * includes is left out; between services both are errors.  Returns 0, or -1
 * with a reason in `why`.
 */
int addresses_find(struct addresses *a, const struct config *c,
    const struct resolved *known, char *why, size_t size);

/* Do the same with the numeric addresses only, to see whether two services have
 * one.  Returns 0, or -1 with a reason in `why`. */
int addresses_check(const struct config *c, char *why, size_t size);

/* The address called `name`, or NULL. */
const struct address *addresses_named(const struct addresses *a,
    const char *name);

/* Record one answer; `host` is "" if there is none.  Returns 0, or -1 if there
 * is no room. */
int resolved_add(struct resolved *r, const char *name, const char *host);

/* Write host and port: "[::1]:6379". */
void addresses_name(char *name, size_t size, const char *host, unsigned port);

/* Print each name in `bind` with its addresses, as comments. */
void addresses_dump(const struct config *c, FILE *out);

#endif
