/* SPDX-License-Identifier: ISC */
/*
 * PROXY protocol headers, versions 1 and 2: who a load balancer's connection
 * is for.  See HAProxy's doc/proxy-protocol.txt, whose sections are named
 * below.
 */
#ifndef ECHOD_WORKER_CONNECTION_PROXY_H
#define ECHOD_WORKER_CONNECTION_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/connection.h"

/* The longest header that is taken; section 2.2 expects 536 bytes to pass in
 * one piece. */
#define PROXY_BYTES 4096

enum proxy_result {
	PROXY_MAYBE, /* less than a signature, and like one */
	PROXY_MORE,  /* is the beginning of a header */
	PROXY_NONE,  /* is not the beginning of one */
	PROXY_BAD,   /* is the beginning of a wrong one */
	PROXY_OK
};

struct proxy_header {
	size_t bytes; /* its length */
	bool known;   /* it names the client: `peer` */
	bool local;   /* the balancer itself is the client */
	struct peer peer;
	const char *fault; /* what is wrong with a bad one */
};

/* Look at the first `len` bytes of a connection. */
enum proxy_result proxy_parse(const char *in, size_t len,
    struct proxy_header *h);

#endif
