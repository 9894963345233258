/* SPDX-License-Identifier: ISC */
/*
 * Sockets of the tests, and the end of a test if a call fails that must not.
 */
#ifndef ECHOD_TESTS_SOCKETS_H
#define ECHOD_TESTS_SOCKETS_H

#include <netinet/in.h>

/* The test cannot go on, for the reason in errno. */
void die(const char *what);

/* `result`, unless it is -1. */
int checked(int result, const char *what);

/* A listener on a free port; its address is stored. */
int listen_somewhere(struct sockaddr_in *address);

/* A client; `receive_buffer` 0: the system's default. */
int connect_to(const struct sockaddr_in *address, int receive_buffer);

/* Wait until `events` (poll(2)) are there. */
void await(int fd, short events);

#endif
