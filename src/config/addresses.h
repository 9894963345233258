/* SPDX-License-Identifier: ISC */
/*
 * What `bind` stands for on this machine: the one answer that the test, the
 * start, a reload and those who ask the service go by.
 */
#ifndef ECHOD_CONFIG_ADDRESSES_H
#define ECHOD_CONFIG_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config.h"
#include "lib/address.h"

/* What names were resolved to.  The check of a reload writes it down, so that
 * the takeover, while nobody is served, asks no resolver and gets no other
 * answer. */
struct resolved {
	unsigned count;
	struct {
		char name[ADDRESS_NAME_SIZE];
		char host[ADDRESS_SIZE]; /* "": has no address */
	} entry[2 * CONFIG_BIND_MAX];
};

/* One address to listen on. */
struct address {
	char host[ADDRESS_SIZE];      /* as address_spell() has it */
	char name[ADDRESS_PORT_SIZE]; /* of its listener: "[::1]:6379" */
	uint32_t given;		      /* bit i: by bind.address[i] */
	bool required;		      /* not having it is an error */
};

struct addresses {
	struct address address[CONFIG_BIND_MAX];
	unsigned count;
	struct resolved resolved;
	/* What was left out, and why: for the log. */
	char remark[CONFIG_BIND_MAX][384];
	unsigned remarks;
};

/*
 * Fill `a` from `bind` and `port`: names are looked up in `known` (NULL:
 * nothing is known) and else resolved; an address that is there twice, in any
 * spelling, is one, and one that 0.0.0.0 or :: includes is left out.  Returns
 * 0, or -1 with a reason in `why`.
 */
int addresses_find(struct addresses *a, const struct config *c,
    const struct resolved *known, char *why, size_t size);

/* The address called `name`, or NULL. */
const struct address *addresses_named(const struct addresses *a,
    const char *name);

/* Write down one answer, `host` "" if there is none.  Returns 0, or -1 if
 * there is no room. */
int resolved_add(struct resolved *r, const char *name, const char *host);

/* "[::1]:6379" */
void addresses_name(char *name, size_t size, const char *host, unsigned port);

/* Print each name in `bind`, and what it stands for, as comments. */
void addresses_dump(const struct config *c, FILE *out);

#endif
