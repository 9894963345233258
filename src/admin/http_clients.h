/* SPDX-License-Identifier: ISC */
/*
 * The door of the HTTP library: clients come in with a whole request only.
 */
#ifndef ECHOD_ADMIN_HTTP_CLIENTS_H
#define ECHOD_ADMIN_HTTP_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct http_client;

struct http_library {
	/* Answer the client of the descriptor `fd`, whose request is there to
	 * be read, and close it: then http_clients_left() is to be called, also
	 * before this returns. */
	void (*answer)(struct http_client *c, int fd,
	    const struct sockaddr *peer, socklen_t len);
	/* Do what there is to do for clients that are being answered. */
	void (*run)(void);
};

/* Let clients of the listener in from now on.  Returns 0, or -1 with errno
 * set. */
int http_clients_open(int listener, const struct http_library *library);

/* Let nobody in any more. */
void http_clients_finish(void);

/* True if there is no client. */
bool http_clients_are_gone(void);

/* The epoll(7) instance, readable when there is something to do; -1: none.
 * `extra` of http_clients_also() counts, too. */
int http_clients_watch(void);

/* Have the instance watch another descriptor as well.  Returns 0 or -1. */
int http_clients_also(int extra);

/* Do some of what there is to do, without waiting. */
void http_clients_step(void);

/* When there is something to do in any case, clock_ms(). */
uint64_t http_clients_next(void);

/* The client that is being answered on `fd` and was not asked for before, or
 * NULL. */
struct http_client *http_clients_find(int fd);

/* The descriptor of the client is closed. */
void http_clients_left(struct http_client *c);

/* How many clients are being answered. */
unsigned http_clients_answering(void);

#endif
