/* SPDX-License-Identifier: ISC */
/*
 * PROXY protocol headers, versions 1 and 2: the client for which a load
 * balancer has opened a connection.  Sections are those of HAProxy's
 * doc/proxy-protocol.txt.
 */
#ifndef ECHOD_WORKER_CONNECTION_PROXY_H
#define ECHOD_WORKER_CONNECTION_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/connection.h"

/* The longest header that is accepted; section 2.2 expects 536 bytes to pass in
 * one piece. */
#define PROXY_BYTES 4096

enum proxy_result {
	PROXY_MAYBE, /* the beginning of a signature */
	PROXY_MORE,  /* the beginning of a header */
	PROXY_NONE,  /* no header */
	PROXY_BAD,   /* a wrong header */
	PROXY_OK     /* a whole header */
};

struct proxy_header {
	size_t bytes; /* its length */
	bool known;   /* it names the client: `peer` */
	bool local;   /* the balancer itself is the client */
	struct peer peer;
	const char *fault; /* PROXY_BAD: what is wrong */
};

/* Parse `in`, the first `len` bytes of a connection.  Fills in `h` as far as
 * the result says. */
enum proxy_result proxy_parse(const char *in, size_t len,
    struct proxy_header *h);

#endif
