/* SPDX-License-Identifier: ISC */
/*
 * A model of the kernel's part of one connection.
 */
#include "handler-test/kernel.h"

#include <string.h>

/* Up to here, a limit of one byte is one.  Then it grows with the position, or
 * a long conversation would take hours. */
#define KERNEL_CAREFUL 256

static size_t
kernel_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
kernel_limit(size_t n, size_t max, size_t position)
{
	if (max == 0)
		return n;
	return kernel_min(n, max * (1 + position / KERNEL_CAREFUL * 16));
}

ssize_t
kernel_recv(struct kernel *k, char *to, size_t max)
{
	size_t n = kernel_min(max, k->arrived - k->taken);

	if (n == 0)
		return k->fin && k->arrived == k->taken ? 0 : -1;
	n = kernel_limit(n, k->recv_max, k->taken);
	memcpy(to, k->input + k->taken, n);
	k->taken += n;
	return (ssize_t)n;
}

ssize_t
kernel_send(struct kernel *k, const char *from, size_t n)
{
	n = kernel_min(kernel_limit(n, k->send_max, k->sent), k->room);
	if (n == 0)
		return -1;
	if (k->sent < k->keep)
		memcpy(k->wire + k->sent, from,
		    kernel_min(n, k->keep - k->sent));
	k->sent += n;
	k->room -= n;
	return (ssize_t)n;
}

uint64_t
kernel_received(const struct kernel *k)
{
	return k->arrived + (k->fin ? 1 : 0);
}

uint64_t
kernel_inq(const struct kernel *k)
{
	return k->arrived - k->taken;
}

uint64_t
kernel_acked(const struct kernel *k)
{
	return k->acked;
}

uint64_t
kernel_outq(const struct kernel *k)
{
	return k->sent - k->acked + (k->our_fin ? 1 : 0);
}

bool
kernel_client_reads(struct kernel *k, size_t room)
{
	bool any = k->acked < k->sent;

	k->acked = k->sent;
	k->room = room;
	return any;
}
