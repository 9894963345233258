/* SPDX-License-Identifier: ISC */
/*
 * A model of the kernel's part of one connection: the bytes that the client has
 * sent, those that it will read, and the counters that outlive a process.
 */
#ifndef ECHOD_HANDLER_TEST_KERNEL_H
#define ECHOD_HANDLER_TEST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kernel {
	/* From the client. */
	const char *input;
	size_t size;	 /* what it will send */
	size_t arrived;	 /* what has arrived of this */
	size_t taken;	 /* what recv took of this */
	bool fin;	 /* the client's FIN has arrived */
	size_t recv_max; /* bytes that a recv takes; 0: all */

	/* To the client. */
	char *wire; /* the first `keep` bytes that send took */
	size_t keep;
	size_t sent;	 /* all that send took */
	size_t acked;	 /* of these, what the client has read */
	size_t send_max; /* bytes that a send takes; 0: all */
	size_t room;	 /* bytes that fit until the client reads */
	bool our_fin, reset, closed;
};

/* The next bytes, at most `max`.  Returns 0 at the client's FIN, -1 if there is
 * nothing. */
ssize_t kernel_recv(struct kernel *k, char *to, size_t max);

/* Take bytes for the client.  Returns how many, -1 if none fits. */
ssize_t kernel_send(struct kernel *k, const char *from, size_t n);

/* What TCP_INFO, SIOCINQ and SIOCOUTQ say; a FIN counts as a byte. */
uint64_t kernel_received(const struct kernel *k);
uint64_t kernel_inq(const struct kernel *k);
uint64_t kernel_acked(const struct kernel *k);
uint64_t kernel_outq(const struct kernel *k);

/* The client reads everything, and has room again.  Returns false if there was
 * nothing. */
bool kernel_client_reads(struct kernel *k, size_t room);

#endif
